"""Faults planted on purpose, longer than a test may take: `make faults`.

Each campaign is a command of its own and writes its table beside it:

    planted    faults in the code of `helpers`, one at a time; do the tests notice?
    killing    trainings, cross-validations and savings, killed at random moments
    fuzzing    pictures and model files with random damage
"""
