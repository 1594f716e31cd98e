// Runs the programs that are named, one after the other.

import { done } from './harness.mjs'

for (const name of process.argv.slice(2)) await import(`./${name}.mjs`)
done()
