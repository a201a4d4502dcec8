"""The MNIST example of pytorch/examples, if PyTorch is installed.

After https://github.com/pytorch/examples/tree/main/mnist. Its facts: two convolutions,
dropout, Adadelta with a learning rate of 1 that shrinks to 0.7 of itself each epoch,
batches of 64, 14 epochs. Images come from memory here, which is faster than the
example's data loader. Nothing else in the project needs PyTorch.
"""

from benchmarks.measuring import Scoreboard
from benchmarks.recipes import Cost
from helpers.learning.models import PIXEL_MEAN, PIXEL_STD

import numpy as np
import torch
from torch import nn

# 26 × 26 places × 9 pixels × 32 filters, 24 × 24 × 9 × 32 × 64, and two dense layers.
MULTIPLY_ADDS = 26 * 26 * 9 * 32 + 24 * 24 * 9 * 32 * 64 + 9216 * 128 + 128 * 10


def train_pytorch_example(
    images: np.ndarray, labels: np.ndarray, seed: int, epochs: int, board: Scoreboard
) -> Cost:
    """Train the example's network; arguments as in `benchmarks.recipes`."""
    torch.manual_seed(seed)
    network = _network()
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    pixels, targets = _normalised(images), torch.from_numpy(labels.astype(np.int64))
    for _ in range(epochs):
        network.train()
        for batch in torch.randperm(len(pixels)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(pixels[batch]), targets[batch]).backward()
            optimizer.step()
        schedule.step()
        board.score(lambda images: _probabilities(network, images))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Cost(parameters, MULTIPLY_ADDS, len(images))


def _network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(9216, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


def _normalised(images: np.ndarray) -> torch.Tensor:
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    return (pixels / 255 - PIXEL_MEAN) / PIXEL_STD


def _probabilities(network: nn.Module, images: np.ndarray) -> np.ndarray:
    network.eval()
    with torch.no_grad():
        parts = _normalised(images).split(1000)
        return np.concatenate([network(part).softmax(dim=1).numpy() for part in parts])
