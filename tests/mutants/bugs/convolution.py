"""Convolutions and linear layers with the wrong configuration."""

from tests.mutants.bugs.row import EDITED, line
from tests.mutants.cases import Expected

BUGS = [
    line(
        "plain-conv-bias-missing",
        "bias",
        "self.conv2 = nn.Conv2d(8, 8, 3, padding=1)",
        "self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)",
        Expected("conv2", "Conv2d", EDITED, "slot", "bias", True, False),
    ),
    line(
        "plain-conv-bias-extra",
        "bias",
        "padding=1, bias=False)",
        "padding=1)",
        Expected(
            "conv3", "Conv2d", "self.conv3 = nn.Conv2d(8, 8, 3, padding=1)", "slot", "bias", False, True
        ),
        unloaded=("conv3.bias",),
    ),
    line(
        "plain-linear-bias-missing",
        "bias",
        "self.fc3 = nn.Linear(32, 32)",
        "self.fc3 = nn.Linear(32, 32, bias=False)",
        Expected("fc3", "Linear", EDITED, "slot", "bias", True, False),
    ),
    line(
        "unet-head-bias-missing",
        "bias",
        "nn.Conv2d(4, 2, 1)",
        "nn.Conv2d(4, 2, 1, bias=False)",
        Expected("head", "Conv2d", EDITED, "slot", "bias", True, False),
    ),
    line(
        "mha-bias-missing",
        "bias",
        "self.self_attn = nn.MultiheadAttention(dim, heads, batch_first=True)",
        "self.self_attn = nn.MultiheadAttention(dim, heads, batch_first=True, bias=False)",
        Expected("layer1.self_attn", "Linear", EDITED, "slot", "bias", True, False, layers=2),
    ),
    line(
        "basic-stride-in-wrong-convolution",
        "stride",
        "cout, 3, stride=stride, padding=1, bias=False)",
        "cout, 3, padding=1, bias=False)",
        Expected("layer2.0.conv1", "Conv2d", EDITED, "attribute", "stride", (2, 2), (1, 1)),
        Expected(
            "layer2.0.conv2",
            "Conv2d",
            "nn.Conv2d(cout, cout, 3, stride=stride, padding=1",
            "attribute",
            "stride",
            (1, 1),
            (2, 2),
        ),
        also=(("nn.Conv2d(cout, cout, 3, padding=1", "nn.Conv2d(cout, cout, 3, stride=stride, padding=1"),),
    ),
    line(
        "pyramid-stride",
        "stride",
        "self.c3 = nn.Conv2d(6, 6, 3, stride=2, padding=1)",
        "self.c3 = nn.Conv2d(6, 6, 3, stride=1, padding=1)",
        Expected("c3", "Conv2d", EDITED, "attribute", "stride", (2, 2), (1, 1)),
    ),
    line(
        "shuffle-stride-asymmetric",
        "stride",
        "nn.Conv2d(3, 8, 3, stride=2, padding=1)",
        "nn.Conv2d(3, 8, 3, stride=(2, 1), padding=1)",
        Expected("stem", "Conv2d", EDITED, "attribute", "stride", (2, 2), (2, 1)),
    ),
    line(
        "mobile-depthwise-padding",
        "padding",
        "kernel, stride, kernel // 2, groups",
        "kernel, stride, 1, groups",
        Expected(
            "block2.depthwise.0", "Conv2d", EDITED, "attribute", "padding", ((2, 2), (2, 2)), ((1, 1), (1, 1))
        ),
    ),
    line(
        "siamese-padding-missing",
        "padding",
        "self.conv2 = nn.Conv2d(6, 10, 3, stride=2, padding=1)",
        "self.conv2 = nn.Conv2d(6, 10, 3, stride=2)",
        Expected(
            "encoder.conv2", "Conv2d", EDITED, "attribute", "padding", ((1, 1), (1, 1)), ((0, 0), (0, 0))
        ),
    ),
    line(
        "norms-padding-axes",
        "padding",
        "padding=(0, 1)",
        "padding=(1, 0)",
        Expected("conv4", "Conv2d", EDITED, "attribute", "padding", ((0, 0), (1, 1)), ((1, 1), (0, 0))),
    ),
    line(
        "inception-padding-mode",
        "padding",
        "nn.Conv2d(3, 6, 7, padding=3)",
        'nn.Conv2d(3, 6, 7, padding=3, padding_mode="replicate")',
        Expected(
            "conv1", "Conv2d", 'padding_mode="replicate"', "attribute", "padding_mode", "zeros", "replicate"
        ),
    ),
    line(
        "text-padding-mode",
        "padding",
        "nn.Conv1d(12, 12, 3, padding=1)",
        'nn.Conv1d(12, 12, 3, padding=1, padding_mode="circular")',
        Expected(
            "conv", "Conv1d", 'padding_mode="circular"', "attribute", "padding_mode", "zeros", "circular"
        ),
    ),
    line(
        "norms-dilation",
        "dilation",
        "padding=2, dilation=2",
        "padding=1",
        Expected(
            "conv2",
            "Conv2d",
            "self.conv2 = nn.Conv2d(8, 8, 3, padding=1)",
            "attribute",
            "dilation",
            (2, 2),
            (1, 1),
        ),
        Expected(
            "conv2",
            "Conv2d",
            "self.conv2 = nn.Conv2d(8, 8, 3, padding=1)",
            "attribute",
            "padding",
            ((2, 2), (2, 2)),
            ((1, 1), (1, 1)),
        ),
    ),
    line(
        "inception-dilation",
        "dilation",
        "nn.Conv2d(4, 4, 5, padding=2)",
        "nn.Conv2d(4, 4, 5, padding=4, dilation=2)",
        Expected("block1.p3_2", "Conv2d", EDITED, "attribute", "dilation", (1, 1), (2, 2), layers=2),
        Expected(
            "block1.p3_2",
            "Conv2d",
            EDITED,
            "attribute",
            "padding",
            ((2, 2), (2, 2)),
            ((4, 4), (4, 4)),
            layers=2,
        ),
    ),
    line(
        "norms-conv-groups",
        "groups",
        "padding=1, groups=4",
        "padding=1, groups=2",
        Expected("conv3", "Conv2d", EDITED, "attribute", "groups", 4, 2),
        unloaded=("conv3.weight",),
    ),
    line(
        "mobile-depthwise-groups",
        "groups",
        "groups=hidden, bias=False",
        "bias=False",
        Expected(
            "block1.depthwise.0", "Conv2d", "nn.Conv2d(hidden, hidden", "attribute", "groups", 16, 1, layers=2
        ),
        Expected("block3.depthwise.0", "Conv2d", "nn.Conv2d(hidden, hidden", "attribute", "groups", 24, 1),
        unloaded=("*.depthwise.0.weight",),
    ),
    line(
        "unet-transposed-padding",
        "padding",
        "stride=2, padding=1, output_padding=1)",
        "stride=2)",
        Expected("up3", "ConvTranspose2d", EDITED, "attribute", "output_padding", (1, 1), (0, 0)),
        Expected(
            "up3", "ConvTranspose2d", EDITED, "attribute", "padding", ((1, 1), (1, 1)), ((0, 0), (0, 0))
        ),
        also=(("y = self.up3(y)  #", "y = self.up3(y)[:, :, :4, :4]  #"),),
    ),
    line(
        "unet-upsample-for-transposed",
        "layer kind",
        "y = self.up3(y)  #",
        'y = F.interpolate(y, scale_factor=2, mode="nearest")  #',
        Expected(
            "",
            "interpolate",
            EDITED,
            "substituted",
            "",
            "ConvTranspose2d `up3`",
            "interpolate(mode=nearest, output_size=(4, 4), align_corners=False)",
        ),
    ),
]
