"""Measures recipes for MNIST side by side on one machine: `make bench`.

    recipes        published recipes and ours, each written as one training
    pytorch        PyTorch's example, if PyTorch is installed
    measuring      a training against the clock: seconds, processor time, scores
    machine        this machine, the memory of a process, processes of their own
    entries        everything that can be measured, by name
    figures        the two figures of the README, drawn from the results
    results        the tables of results

Commands of their own:

    custom_digits  how many of your own pictures are read right
    reading        the cost of reading pictures, and what gets lost on the way
    refusing       what is called no digit
    corruptions    how networks read corrupted digits (MNIST-C)
    steady         the same pictures in other clothes: do the same digits come out?
    pages          generated pages of digits: rows, lines, squares, touching pairs
    not_digits     pictures without a digit, for `refusing`

`results/` holds what was measured, with machine and versions. `benchmarks/README.md` says how
to read it, and what was tried on the way to our recipes.
"""
