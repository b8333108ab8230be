#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Draw the figures of bench.py: for each pipeline depth, CPU per command (user and system stacked)
and requests a second of each server, one group of bars a workload.

    chart.py results/20260101-120000.json chart.svg
"""
import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Distinct for all kinds of colour vision (Okabe and Ito).
COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"]


def draw_cpu(axes, rows, workloads, servers):
    width = 0.8 / len(servers)
    for s, server in enumerate(servers):
        for w, workload in enumerate(workloads):
            row = rows.get((workload, server))
            if not row:
                continue
            x = w + (s - (len(servers) - 1) / 2) * width
            axes.bar(x, row["user"], width * 0.92, color=COLOURS[s % len(COLOURS)], label=server if w == 0 else None)
            axes.bar(x, row["sys"], width * 0.92, bottom=row["user"], color=COLOURS[s % len(COLOURS)], alpha=0.35)
            axes.text(x, row["user"] + row["sys"], f"{row['user']:.2f}", ha="center", va="bottom", fontsize=7)
    axes.set_ylabel("CPU µs per command\n(user, above it system, pale)")
    axes.legend(frameon=False)


def draw_rate(axes, rows, workloads, servers):
    width = 0.8 / len(servers)
    for s, server in enumerate(servers):
        xs = [w + (s - (len(servers) - 1) / 2) * width for w in range(len(workloads))]
        rates = [rows.get((workload, server), {"rps": 0})["rps"] / 1000 for workload in workloads]
        axes.bar(xs, rates, width * 0.92, color=COLOURS[s % len(COLOURS)])
    axes.set_ylabel("thousand requests/s\n(the client may be the limit)")


def draw(source, target):
    with open(source) as file:
        data = json.load(file)
    results = data["results"]
    workloads = list(dict.fromkeys(r["workload"] for r in results))
    servers = list(dict.fromkeys(r["server"] for r in results))
    pipelines = list(dict.fromkeys(r["pipeline"] for r in results))
    figure, grid = plt.subplots(len(pipelines) * 2, 1, squeeze=False,
                                figsize=(max(7, 1.2 * len(workloads) * len(servers) / 2), 6 * len(pipelines)))
    for p, pipeline in enumerate(pipelines):
        rows = {(r["workload"], r["server"]): r for r in results if r["pipeline"] == pipeline}
        for axes, draw_one in ((grid[2 * p][0], draw_cpu), (grid[2 * p + 1][0], draw_rate)):
            draw_one(axes, rows, workloads, servers)
            axes.set_title(f"pipeline {pipeline}")
            axes.set_xticks(range(len(workloads)), workloads)
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(axis="y", alpha=0.3)
            axes.set_axisbelow(True)
    machine, options = data["machine"], data["options"]
    figure.suptitle(f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}; {options['clients']} clients, "
                    f"{options['data']} bytes; {data['time']}", fontsize=9)
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    figure.savefig(target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    draw(sys.argv[1], sys.argv[2])
