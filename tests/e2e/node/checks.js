// SPDX-License-Identifier: BSD-3-Clause
// checks -- runs named checks one after the other; one that throws or takes too long ends the
// process with status 1. Client libraries differ in how they are called, so each family has a
// script of its own.
"use strict";

const LIMIT_MS = 60000;

function timeLimit(name) {
    const timer = setTimeout(() => {
        console.error(`failed ${name}: nothing after ${LIMIT_MS} ms`);
        process.exit(1);
    }, LIMIT_MS);
    return () => clearTimeout(timer);
}

async function run(checks) {
    for (const [name, check] of Object.entries(checks)) {
        const done = timeLimit(name);
        try {
            await check();
        } catch (error) {
            console.error(`failed ${name}: ${error.stack}`);
            process.exit(1);
        }
        done();
        console.log(`ok ${name}`);
    }
    process.exit(0);
}

// Resolves once the emitter says so; ask before whatever makes it happen.
function event(emitter, name) {
    return new Promise((resolve) => emitter.once(name, resolve));
}

// Every byte value, several times over.
function bytes(size) {
    const buffer = Buffer.alloc(size);
    for (let i = 0; i < size; i++) buffer[i] = (i * 7 + (i >> 8)) & 255;
    return buffer;
}

module.exports = { bytes, event, run };
