"""Training, evaluation and prediction: the same in both frameworks.

Everything that is not a framework's own is written once and shared: images and their order (`sources`, `transforms`,
`pipeline`), learning rates (`schedules`), what a run is (`recipe`) and how it is told (`record`). What is a framework's
own is in pairs of modules that mirror each other: `train_paddle` and `train_torch`, `network_paddle` and `network_torch`.
"""
