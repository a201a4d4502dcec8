"""Measures recipes for MNIST side by side on one machine: `make bench`.

    recipes        published recipes and ours, each written as one training
    pytorch        PyTorch's example, if PyTorch is installed
    measuring      one training on the clock: seconds, processor time, memory, test scores
    entries        what can be measured, each under a name
    figures        the two figures of the README, drawn from the results
    results        the tables of what was measured

Commands of their own:

    custom_digits  how many of your own pictures are read right
    reading        what reading pictures costs and loses
    refusing       which probability makes an answer sure
    not_digits     pictures of what is no digit, for `refusing`

`results/` holds what was measured, with machine and versions; `benchmarks/README.md`
tells how to read it, and what was tried on the way to our recipes.
"""
