"""The networks, by name. Both files of a pair have the same name, one on each side."""

from tests.mutants.cases import Input, Network

IMAGE = Input((2, 3, 20, 20))
SINGLE = "Paddle's hard sigmoid multiplies with the single .1666667, torch with 1/6"
TABLE = "torch keeps the weights of the colours in a float32 buffer, Paddle has numbers"
SINGLE_EPS = "Paddle keeps the eps of a BatchNorm in float32, and 1e-3 is no small one"
RATIO = "Paddle computes the ratios and weights of bilinear interpolation in float32"

NETWORKS = {
    network.name: network
    for network in (
        Network("plain", (IMAGE,), seed=101),
        Network("bottleneck", (IMAGE,), seed=102),
        Network("basic", (IMAGE,), seed=103),
        Network("inception", (IMAGE,), seed=104),
        Network("mobile", (IMAGE,), seed=105, tolerance=2e-6, why_looser=SINGLE),
        Network("unet", (IMAGE,), seed=106, tolerance=5e-7, why_looser=RATIO),
        Network("vit", (IMAGE,), seed=107),
        Network("mha", (Input((2, 9, 7)), Input((2, 5, 7))), seed=108),
        Network("norms", (IMAGE,), seed=109),
        Network("siamese", (IMAGE, IMAGE), seed=110),
        Network("pyramid", (IMAGE,), seed=111),
        Network("mlp", (Input((6, 12)),), seed=112),
        Network("text", (Input((3, 9), below=20),), seed=113),
        Network("shuffle", (IMAGE,), seed=114),
        Network("swin", (Input((2, 3, 16, 16)),), seed=115),
        Network("fusion", (Input((2, 3, 12, 12)),), seed=117),
        Network("gan", (Input((2, 3, 12, 12)),), seed=118),
        Network("bifpn", (Input((2, 3, 16, 16)),), seed=122, tolerance=2e-9, why_looser=SINGLE_EPS),
        Network("detector", (Input((2, 3, 16, 24)),), seed=119),
        Network(
            "modulated",
            (Input((2, 3, 8, 8)), Input((2, 6))),
            seed=120,
            tolerance=2e-6,
            why_looser="Paddle keeps the slope of a hard sigmoid in float32",
        ),
        Network(
            "index", (Input((4, 3, 10, 10)), Input((4,), below=6)), seed=121, tolerance=1e-7, why_looser=TABLE
        ),
        Network("aspp", (IMAGE,), seed=116, tolerance=5e-7, why_looser=RATIO),
    )
}
