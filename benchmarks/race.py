"""Asks whether one of our recipes is ahead at every second: `python -m benchmarks.race`.

It reads the table `results/epochs.csv`, so measure all recipes side by side before.
"""

from benchmarks.figures import OURS
from benchmarks.results import load

import pandas as pd


def answer_each(epochs: pd.DataFrame) -> pd.DataFrame:
    """Find for each point of another recipe the best that one of ours had reached by then.

    A point is the mean over seeds of time and test accuracy after an epoch.

    Args:
        epochs: A row for each entry, seed and epoch: "entry", "seed", "epoch", "seconds" and
            "accuracy" (0 to 1).

    Returns:
        A row for each point of another recipe, by "seconds": "entry", "epoch", "accuracy",
        "ours" (the accuracy of our best by then; 0 if none has finished an epoch) and
        "is_ahead", whether that is at least as much.
    """
    points = epochs.groupby(["entry", "epoch"], as_index=False)[["seconds", "accuracy"]].mean()
    is_ours = points["entry"].isin(OURS)
    ours, others = points[is_ours], points[~is_ours].sort_values("seconds", ignore_index=True)
    others["ours"] = [
        ours.loc[ours["seconds"] <= seconds, "accuracy"].max() for seconds in others["seconds"]
    ]
    others["ours"] = others["ours"].fillna(0.0)
    return others.assign(is_ahead=others["ours"] >= others["accuracy"])


def main() -> None:
    """Print the points of other recipes that none of ours had reached by then."""
    answers = answer_each(load("epochs"))
    behind = answers[~answers["is_ahead"]]
    print(f"{len(answers)} points of other recipes, {len(behind)} of them ahead of ours")
    if len(behind):
        print(behind.drop(columns="is_ahead").round(4).to_string(index=False))


if __name__ == "__main__":
    main()
