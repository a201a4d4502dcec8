"""Measures recipes for MNIST side by side on one machine: `make bench`.

    recipes      published recipes and ours, each written as one training
    measuring    one training on the clock: seconds, processor time, memory, test scores
    entries      what can be measured, each under a name
    figures      the two figures of the README, drawn from the results

`results/` holds what was measured, with machine and versions. README.md there
tells how to read it, and what was tried on the way to our recipes.
"""
