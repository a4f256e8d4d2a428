import json, struct
import numpy, torch

def save(path, model, optimizer):
    saved = optimizer.state_dict()
    tensors = {f"model.{name}": tensor for name, tensor in model.items()}
    for id, state in saved["state"].items():
        for key, value in state.items():
            if value is not None:
                tensors[f"optimizer.state.{id}.{key}"] = torch.as_tensor(value)
    groups = json.dumps(saved["param_groups"], default=float)
    header = {"__metadata__": {"optimizer.type": type(optimizer).__name__, "optimizer.param_groups": groups}}
    parts, end = [], 0
    for name, tensor in tensors.items():
        parts.append(tensor.detach().cpu().float().numpy().tobytes())
        begin, end = end, end + len(parts[-1])
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))

def load(path, model, optimizer):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata, state = header.pop("__metadata__"), {}
    for name, entry in header.items():
        dtype = {"F32": numpy.float32, "F64": numpy.float64}[entry["dtype"]]
        array = numpy.frombuffer(data[slice(*entry["data_offsets"])], dtype).copy()
        tensor = torch.from_numpy(array).reshape(entry["shape"])
        if name.startswith("model."):
            model[name.removeprefix("model.")].detach().copy_(tensor)
        else:
            id, key = name.removeprefix("optimizer.state.").split(".")
            state.setdefault(int(id), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": json.loads(metadata["optimizer.param_groups"])})
