"""The commands of the Makefile: set up, run and publish the series.

`environment` makes `.venv`, `execution` runs the notebooks, `pages` builds the site, for which
`browser` writes the network and `sliders` the frames, and `shipping` trains the network that ships.
What they run is taught in the notebooks and lives in `helpers.learning` and `helpers.reading`.
"""
