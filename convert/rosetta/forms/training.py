"""How what a training program needs is written in torch: parameters, initializers, optimizers, data."""

from __future__ import annotations

from collections.abc import Mapping

from convert.rosetta.forms.form import INIT_FUNCTIONS, SAMPLERS, Form

_AROUND = (
    Form("like_grouped(again)", "parameters groups"),
    Form("like_grouped_by_attr(again)", "parameters given, attributes given, parameters not groups"),
    Form("like_clipping(again, grad_clip)", "grad_clip given, grad_clip not none"),
    Form("like_scheduled(again, learning_rate)", "learning_rate maybe scheduler"),
)
"""What stands around an optimizer: whoever makes groups of parameters, clips its gradients, and the schedule of its rate."""


def _optimizer(name: str, *betas: str) -> tuple[Form, ...]:
    """An optimizer with betas in one argument, and one whose gradients are clipped."""
    pair = "betas=(beta1, beta2), "
    call = f"torch.optim.{name}(parameters, lr=learning_rate, {pair if betas else ''}eps=epsilon, weight_decay=weight_decay)"
    given = [Form(call, f"{beta} given") for beta in betas]
    return (*_AROUND, *given, Form("="))


SCHEDULES = (
    *(
        "NoamDecay",
        "PiecewiseDecay",
        "NaturalExpDecay",
        "InverseTimeDecay",
        "PolynomialDecay",
        "LinearWarmup",
    ),
    *("ExponentialDecay", "MultiStepDecay", "StepDecay", "LambdaDecay", "ReduceOnPlateau", "CyclicLR"),
    *("CosineAnnealingDecay", "MultiplicativeDecay", "OneCycleLR", "LinearLR", "CosineAnnealingWarmRestarts"),
)
"""Paddle's schedules, which are made before the optimizer; torch's take it."""


FORMS: Mapping[str, tuple[Form, ...]] = {
    "jit.not_to_static": (Form("="),),
    **{f"nn.init.{name}": (Form("="),) for name in INIT_FUNCTIONS},
    "ParamAttr": (Form("="),),
    "create_parameter": (Form("= like_create_parameter"),),
    "nn.Parameter": (Form("="),),
    **{
        f"nn.initializer.Xavier{name}": (
            Form(f"like_Xavier{name}(fan_in, fan_out, gain)", "fan_in given, fan_in not none"),
            Form(f"like_Xavier{name}(fan_in, fan_out, gain)", "fan_out given, fan_out not none"),
        )
        for name in ("Normal", "Uniform")
    },
    **{
        f"nn.initializer.Kaiming{name}": (
            Form(
                f"like_Kaiming{name}(fan_in, negative_slope, nonlinearity, mode)",
                "fan_in given, fan_in not none",
            ),
        )
        for name in ("Normal", "Uniform")
    },
    "nn.initializer.Assign": (Form("partial(like_assign, value=value)"),),
    "regularizer.L2Decay": (Form("coeff"),),
    "optimizer.Optimizer": (Form("="),),
    "optimizer.lr.LRScheduler": (Form("="),),
    **{
        f"optimizer.{name}": (*_AROUND, Form("="))
        for name in ("SGD", "Momentum", "Adagrad", "RMSProp", "Adadelta", "Rprop", "ASGD")
    },
    **{f"optimizer.lr.{name}": (Form(f"== like_{name}"),) for name in SCHEDULES},
    **{
        f"metric.{name}": (Form(f"== like_{name}"),)
        for name in ("Accuracy", "Precision", "Recall", "Auc", "accuracy")
    },
    "metric.Metric": (Form("="),),
    "static.InputSpec": (Form("as called"),),
    "jit.to_static": (Form("function", "function given"),),
    "amp.GradScaler": (
        Form(
            "torch.amp.GradScaler(init_scale=init_loss_scaling, growth_factor=incr_ratio, backoff_factor=decr_ratio, "
            "growth_interval=incr_every_n_steps, enabled=enable)",
        ),
    ),
    "amp.GradScaler.minimize": (Form(refuse="write the scaler's step(optimizer) and update()"),),
    **{f"io.{name}": (Form("as called"),) for name in ("BatchSampler", "DistributedBatchSampler")},
    **{f"io.{name}": (Form("="),) for name in SAMPLERS},
    "optimizer.Adam": _optimizer("Adam", "beta1", "beta2"),
    "optimizer.AdamW": (
        Form(
            refuse="make two groups of parameters, one with weight_decay=0",
            when="apply_decay_param_fun given, apply_decay_param_fun not none",
        ),
        *_optimizer("AdamW", "beta1", "beta2"),
    ),
    "optimizer.Adamax": _optimizer("Adamax", "beta1", "beta2"),
    "optimizer.NAdam": _optimizer("NAdam", "beta1", "beta2"),
    "optimizer.RAdam": _optimizer("RAdam", "beta1", "beta2"),
    "optimizer.Optimizer.clear_grad": (Form("x.zero_grad()"),),
    "optimizer.Optimizer.clear_gradients": (Form("x.zero_grad()"),),
    "optimizer.Optimizer.get_lr": (Form("x.param_groups[0]['lr']"),),
    "optimizer.Optimizer.set_lr": (Form("like_set_lr(x, value)"),),
    "optimizer.Optimizer.set_state_dict": (Form("x.load_state_dict(state_dict)"),),
    "optimizer.Optimizer.minimize": (Form(refuse="write loss.backward() and the optimizer's step()"),),
    "nn.ClipGradByGlobalNorm": (Form("partial(nn.utils.clip_grad_norm_, max_norm=clip_norm)"),),
    "nn.ClipGradByNorm": (Form("partial(like_clip_each_norm, max_norm=clip_norm)"),),
    "nn.ClipGradByValue": (
        Form("partial(nn.utils.clip_grad_value_, clip_value=max)", "min absent"),
        Form("partial(nn.utils.clip_grad_value_, clip_value=max)", "min none"),
    ),
    "seed": (Form("torch.manual_seed(seed)"),),
    "no_grad": (Form("="),),
    "grad": (Form("="),),
    "in_dynamic_mode": (Form("True"),),
    "is_compiled_with_cuda": (Form("torch.cuda.is_available()"),),
    "set_device": (
        Form("torch.set_default_device('cpu')", "device == 'cpu'"),
        Form("torch.set_default_device('cuda')", "device == 'gpu'"),
        Form("torch.set_default_device('cuda:0')", "device == 'gpu:0'"),
        Form("like_set_device(device)"),
    ),
    "save": (Form("torch.save(obj, path)"),),
    "load": (Form("torch.load(path, weights_only=True)"),),
    "static.amp.fp16_guard": (Form("nullcontext()"),),
    "get_device": (Form("like_get_device()"),),
    "device.get_device": (Form("like_get_device()"),),
    "distributed.get_world_size": (Form("like_world_size()"),),
    "distributed.get_rank": (Form("like_rank()"),),
    "dtype as text": (Form("str(x).replace('torch', 'paddle')"),),
    "utils.download.get_weights_path_from_url": (Form("= like_weights_path"),),
    "distributed.fleet.utils.recompute": (Form("="),),
    "io.DataLoader": (
        Form(
            "torch.utils.data.DataLoader(dataset, batch_sampler=batch_sampler, num_workers=num_workers, "
            "collate_fn=collate_fn, worker_init_fn=worker_init_fn)",
            "batch_sampler given, batch_sampler not none",
        ),
        Form(
            "torch.utils.data.DataLoader(dataset, batch_size=batch_size, shuffle=shuffle, num_workers=num_workers, "
            "collate_fn=collate_fn, drop_last=drop_last, timeout=timeout, worker_init_fn=worker_init_fn)",
        ),
    ),
    "io.Dataset": (Form("="),),
    "io.TensorDataset": (Form("torch.utils.data.TensorDataset(*tensors)"),),
    "io.random_split": (Form("="),),
    "amp.auto_cast": (Form("torch.autocast(torch.get_default_device().type, enabled=enable)"),),
}
