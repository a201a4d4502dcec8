from benchmarks.race import answer_each

import pandas as pd


def test_each_point_of_another_recipe_is_answered_by_our_best_until_then():
    rows = [
        ("one-epoch", 0, 1, 4.0, 0.90),  # before any of ours
        ("one-epoch", 1, 1, 6.0, 0.92),  # the mean of both seeds: 5 s, 0.91
        ("published", 0, 1, 20.0, 0.97),
        ("published", 0, 2, 40.0, 0.99),
        ("sprint", 0, 1, 10.0, 0.98),
        ("quick", 0, 1, 15.0, 0.97),
        ("quick", 0, 2, 40.0, 0.985),
    ]
    epochs = pd.DataFrame(rows, columns=["entry", "seed", "epoch", "seconds", "accuracy"])
    answers = answer_each(epochs)
    assert answers["entry"].tolist() == ["one-epoch", "published", "published"]
    assert answers["seconds"].tolist() == [5.0, 20.0, 40.0]
    assert answers["ours"].tolist() == [0.0, 0.98, 0.985]
    assert answers["is_ahead"].tolist() == [False, True, False]
