"""Regenerate tests/data/akida_layers.npz and akida_edge.npz with BrainChip's package ``akida`` 2.19.3.

It needs an environment of its own (Python 3.11, ``pip install akida==2.19.3``). Layers run on the package's software
backend; the limits are those of its virtual AKD1000 in strict mode (``hw_only``). Nothing of insectbot is imported.
"""

import json
import sys
import zlib

import numpy as np

RANGE = {1: (0, 1), 2: (-1, 1), 4: (-7, 7), 8: (-128, 127)}


def model_of(layer, shape, bits, values):
    """Return a model of one layer with its variables set; ``bits`` 8 is an input layer."""
    import akida

    model = akida.Model()
    if bits != 8:
        model.add(akida.InputData(input_shape=shape, input_bits=bits))
    model.add(layer)
    for name, value in values.items():
        model.layers[-1].set_variable(name, value)
    return model


def draw_values(rng, build, x, act_bits):
    """Return thresholds and activation steps that make use of all levels, from the potentials of these inputs."""
    potential = build(False, {}).forward(x)
    low, high = np.percentile(
        potential.reshape(-1, potential.shape[-1]), (rng.uniform(5, 45), rng.uniform(55, 95)), axis=0
    )
    step = np.clip((high - low) / (2**act_bits - 1) / 2 ** (4 - act_bits), 1 / 16, 65535)
    whole = rng.random(step.size) < 0.3
    return {
        "threshold": np.clip(low, -524288, 524287).astype(np.int32),
        "act_step": np.where(whole, np.floor(step * 16) / 16, step).astype(np.float32),
    }


def draw_dense(rng):
    """Return one random dense layer: what insectbot calls it, its arrays, inputs, and how the package builds it."""
    n, units = int(rng.integers(1, 90)), int(rng.integers(1, 24))
    weights_bits, act_bits, bits = (int(rng.choice([1, 2, 4])) for _ in range(3))
    low, high = RANGE[weights_bits]
    weights = rng.integers(low, high + 1, (n, units)).astype(np.int8)
    x = rng.integers(0, 2**bits, (12, n)) * (rng.random((12, n)) < rng.uniform(0.2, 1))
    facts = {"kind": "dense", "input_bits": bits, "weights_bits": weights_bits, "act_bits": act_bits}
    return facts, {"weights": weights}, x.astype(np.uint8)[:, None, None], dense_builder(facts, weights)


def draw_saturating(rng):
    """Return a dense layer whose potentials go beyond 20 bits, by sums whose parts do so, too."""
    n, units = 6000, 8
    weights = np.zeros((n, units), np.int8)
    for j in range(units):
        cut = int(rng.integers(0, n))
        weights[:cut, j], weights[cut:, j] = (7, -7) if j % 2 else (-7, 7)
    x = np.repeat(rng.integers(10, 16, (3, 1)), n, axis=1).astype(np.uint8)[:, None, None]
    facts = {"kind": "dense", "input_bits": 4, "weights_bits": 4, "act_bits": 4}
    return facts, {"weights": weights}, x, dense_builder(facts, weights)


def dense_builder(facts, weights):
    """Return a function (activation, further variables) -> model of a dense layer."""
    import akida

    def build(activation, values):
        bits = {name: facts[name] for name in ("weights_bits", "act_bits")}
        layer = akida.FullyConnected(units=weights.shape[1], activation=activation, **bits)
        return model_of(layer, (1, 1, len(weights)), facts["input_bits"], {"weights": weights[None, None]} | values)

    return build


def draw_image(rng, kind):
    """Return one random convolution of a kind, as :func:`draw_dense` does."""
    rows, columns = (int(v) for v in rng.integers(7, 13, 2))
    channels = int(rng.choice([1, 3])) if kind == "input" else int(rng.integers(1, 5))
    filters, kernel = int(rng.integers(1, 7)), int(rng.choice([3, 5, 7] if kind == "input" else [1, 3, 5, 7]))
    bits = 8 if kind == "input" else int(rng.choice([1, 2, 4]))
    weights_bits = {"input": 8, "separable": int(rng.choice([2, 4]))}.get(kind, int(rng.choice([1, 2, 4])))
    most = min(kernel, 3 if kind == "input" else 2)
    stride = (int(rng.integers(1, most + 1)),) * 2
    if kind == "convolutional" and rng.random() < 0.3:
        stride = tuple(int(s) for s in rng.integers(1, most + 1, 2))
    pools = [
        ("", None, None),
        ("max", (2, 2), (2, 2)),
        ("max", (2, 2), (1, 1)),
        ("max", (3, 3), (2, 2)),
        ("sum", None, None),
    ]
    pool, size, step = pools[int(rng.integers(0, 4 if kind == "input" else 5))]
    low, high = RANGE[weights_bits]
    arrays = {"weights": rng.integers(low, high + 1, (kernel, kernel, channels, filters)).astype(np.int8)}
    if kind == "separable":
        arrays["weights"] = arrays["weights"][..., 0]
        arrays["pointwise"] = rng.integers(low, high + 1, (channels, filters)).astype(np.int8)
    facts = {"kind": kind, "input_bits": bits, "weights_bits": weights_bits, "act_bits": int(rng.choice([1, 2, 4]))}
    facts |= {"stride": stride, "padding": "same" if rng.random() < 0.7 else "valid", "pool": pool}
    facts |= {"padding_value": int(rng.choice([0, 0, 37, 255])) if kind == "input" else 0}
    if pool == "max":
        facts |= {"pool_size": size, "pool_stride": step}
    shape = (3, rows, columns, channels)
    x = rng.integers(0, 2**bits, shape) * (rng.random(shape) < rng.uniform(0.3, 1))
    return facts, arrays, x.astype(np.uint8), image_builder(facts, arrays, shape[1:])


def image_builder(facts, arrays, shape):
    """Return a function (activation, further variables) -> model of a convolution."""
    import akida

    weights, variables = arrays["weights"], dict(arrays)
    if facts["kind"] == "separable":
        variables = {"weights": weights[..., None], "weights_pw": arrays["pointwise"][None, None]}
    given = {
        "kernel_size": weights.shape[:2],
        "filters": list(arrays.values())[-1].shape[-1],
        "kernel_stride": facts["stride"],
        "padding": akida.Padding.Same if facts["padding"] == "same" else akida.Padding.Valid,
        "weights_bits": facts["weights_bits"],
        "act_bits": facts["act_bits"],
    }
    if facts["pool"] == "max":
        given |= {"pool_type": akida.PoolType.Max, "pool_size": facts["pool_size"], "pool_stride": facts["pool_stride"]}
    elif facts["pool"] == "sum":
        given |= {"pool_type": akida.PoolType.Average}
    if facts["kind"] == "input":
        given |= {"input_shape": shape, "padding_value": facts["padding_value"]}
    names = {"convolutional": "Convolutional", "separable": "SeparableConvolutional", "input": "InputConvolutional"}

    def build(activation, values):
        layer = getattr(akida, names[facts["kind"]])(activation=activation, **given)
        return model_of(layer, shape, facts["input_bits"], variables | values)

    return build


def layer_vectors():
    """Return arrays by name, and the facts of every case."""
    arrays, facts = {}, []
    makers = [("dense", draw_dense, 60), ("saturating", draw_saturating, 4)]
    makers += [
        (kind, lambda rng, kind=kind: draw_image(rng, kind), 50) for kind in ("convolutional", "separable", "input")
    ]
    for name, maker, many in makers:
        made, attempt = 0, 0
        while made < many:
            rng = np.random.default_rng([zlib.crc32(name.encode()), attempt])
            attempt += 1
            fact, given, x, build = maker(rng)
            activation = bool(rng.random() < 0.85)
            try:
                values = draw_values(rng, build, x, fact["act_bits"])
                if name == "saturating":
                    # The cut potential is to lie within the levels.
                    values["threshold"] = rng.integers(-200000, 400000, values["threshold"].size).astype(np.int32)
                    values["act_step"] = rng.uniform(50000, 65535, values["act_step"].size).astype(np.float32)
                y = build(activation, values).forward(x)
            except (ValueError, RuntimeError) as error:
                # Combinations that the package itself refuses, such as an image smaller than its pool.
                print(f"{name}: {error}")
                continue
            case = len(facts)
            facts.append(fact | {"activation": activation, "fits": fits(build(activation, values), fact.get("pool"))})
            arrays |= {f"{case}/{key}": value for key, value in (given | values).items()}
            flat = fact["kind"] == "dense"
            arrays |= {f"{case}/x": x[:, 0, 0] if flat else x, f"{case}/y": y[:, 0, 0] if flat else y}
            made += 1
    return arrays, facts


def fits(model, pool) -> bool:
    """Return whether the virtual chip takes a model; a max pool is followed by a convolution, as the chip asks."""
    import akida

    try:
        if pool == "max":
            model.add(akida.Convolutional(kernel_size=(3, 3), filters=2, weights_bits=4, act_bits=4))
        model.map(akida.AKD1000(), hw_only=True)
    except (RuntimeError, ValueError):
        return False
    return True


def chain_vectors():
    """Return an image network of three layers with its output, to see how an image is read by a dense layer."""
    import akida

    rng = np.random.default_rng(99)
    model = akida.Model()
    model.add(
        akida.InputConvolutional(input_shape=(9, 7, 1), kernel_size=(3, 3), filters=4, weights_bits=8, act_bits=4)
    )
    model.add(akida.Convolutional(kernel_size=(3, 3), filters=5, weights_bits=4, act_bits=2))
    model.add(akida.FullyConnected(units=6, weights_bits=4, activation=False))
    shapes = ((3, 3, 1, 4), (3, 3, 4, 5), (1, 1, 9 * 7 * 5, 6))
    found = {}
    for i, (layer, shape, bits, step) in enumerate(
        zip(model.layers, shapes, (8, 4, 4), (900.0, 20.0, 1.0), strict=True)
    ):
        low, high = RANGE[bits]
        found[f"chain/w{i}"] = rng.integers(low, high + 1, shape).astype(np.int8)
        layer.set_variable("weights", found[f"chain/w{i}"])
        if i < 2:
            layer.set_variable("act_step", np.full(shape[-1], step, np.float32))
    found["chain/x"] = rng.integers(0, 256, (5, 9, 7, 1)).astype(np.uint8)
    found["chain/y"] = model.forward(found["chain/x"])[:, 0, 0]
    return found


def mapped(n, units, bits):
    """Return (kind of processor, bytes of input, of weights on the chip, of weights outside) of a dense layer."""
    import akida

    layer = akida.FullyConnected(units=units, weights_bits=bits, act_bits=4)
    model = model_of(layer, (1, 1, n), 4, {})
    try:
        model.map(akida.AKD1000(), hw_only=True)
    except (RuntimeError, ValueError):
        return [0, 0, 0, 0]
    where = model.layers[-1].mapping.nps[0]
    memory = where.mem_info
    return [int(str(where.type)[-1]), memory.input_size, memory.weight_size, memory.external_size]


def map_vectors():
    """Return rows (inputs, units, bits, kind, bytes...) of dense layers on the virtual chip, and chains of layers."""
    import akida

    rows = []
    for bits in (1, 2, 4):
        for n in (1, 8, 17, 32, 33, 64, 100, 256, 1000, 4096, 10000, 57334, 57335):
            planes = {1: 1, 2: 2, 4: 6}[bits]
            most = 43008 // (16 + 4 * planes * -(-n // 32))
            rows += [[n, units, bits, *mapped(n, units, bits)] for units in sorted({1, max(most, 1), most + 1})]
    chains = []
    for many, units in ((1, 20), (18, 20), (19, 20), (22, 20), (23, 20), (4, 700), (5, 700)):
        model = akida.Model()
        model.add(akida.InputData(input_shape=(1, 1, 64), input_bits=4))
        for _ in range(many):
            model.add(akida.FullyConnected(units=units, weights_bits=4, act_bits=4))
        try:
            model.map(akida.AKD1000(), hw_only=True)
            nps = [layer.mapping.nps[0].ident for layer in model.layers[1:]]
            places = [[p.col, p.row, p.id] for p in nps]
        except RuntimeError:
            places = []
        chains.append({"layers": many, "units": units, "places": places})
    return np.array(rows, np.int64), chains


def edge_run(rng, steps=30):
    """Return one run of edge learning: options, and the state before and after every presentation."""
    import akida

    n, classes, per_class = int(rng.integers(20, 60)), int(rng.integers(1, 4)), int(rng.integers(1, 5))
    units, many = classes * per_class, int(rng.integers(3, 15))
    options = {
        "num_weights": many,
        "num_classes": classes,
        "initial_plasticity": float(rng.choice([1.0, 0.6, 0.3])),
        "learning_competition": float(rng.choice([0.0, 0.0, 0.1, 0.35, 0.5, 1.0])),
        "min_plasticity": float(rng.choice([0.0, 0.1, 0.3])),
        "plasticity_decay": float(rng.choice([0.0, 0.1, 0.25, 0.4])),
    }
    model = akida.Model()
    model.add(akida.InputData(input_shape=(1, 1, n), input_bits=1))
    model.add(akida.FullyConnected(units=units, weights_bits=1, activation=False))
    model.compile(optimizer=akida.AkidaUnsupervised(**options))
    layer = model.layers[-1]
    # The package draws the first weights, and which move, by a generator of its own; the first can be given.
    first = np.array([rng.permutation(n) < many for _ in range(units)])
    layer.set_variable("weights", first.T.reshape(1, 1, n, units).astype(np.int8))

    def state():
        weights = layer.get_variable("weights").reshape(n, units).T.astype(np.uint8)
        return weights, layer.get_variable("threshold_learning").copy(), layer.get_variable("thswap").copy()

    traces = [state()]
    x = (rng.random((steps, n)) < rng.uniform(0.1, 0.8, (steps, 1))).astype(np.uint8)
    labels = rng.integers(0, classes, steps)
    for k in range(steps):
        model.fit(x[k].reshape(1, 1, 1, n), int(labels[k]))
        traces.append(state())
    weights, threshold, swap = (np.array(part) for part in zip(*traces, strict=True))
    return options, {"x": x, "labels": labels, "weights": weights, "threshold": threshold, "swap": swap}


def main(folder="tests/data") -> None:
    """Write the vectors."""
    arrays, facts = layer_vectors()
    arrays |= chain_vectors()
    rows, chains = map_vectors()
    text = json.dumps({"cases": facts, "chains": chains})
    np.savez_compressed(f"{folder}/akida_layers.npz", facts=np.array(text), mapped=rows, **arrays)
    runs, options = {}, []
    for seed in range(30):
        option, trace = edge_run(np.random.default_rng([17, seed]))
        options.append(option)
        runs |= {f"{seed}/{name}": value for name, value in trace.items()}
    np.savez_compressed(f"{folder}/akida_edge.npz", options=np.array(json.dumps(options)), **runs)


if __name__ == "__main__":
    main(*sys.argv[1:])
