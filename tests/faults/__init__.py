"""Campaigns that cause faults on purpose, longer than a test may take: `make faults`.

Each is a command of its own and writes its table beside it:

    planted    faults in the code of `helpers`, one at a time, which the tests must notice
    killing    trainings, cross-validations and saves, killed at random moments
    fuzzing    pictures and model files with random damage
"""
