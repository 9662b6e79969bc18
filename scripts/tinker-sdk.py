"""One supervised and one reinforcement-learning run of the official Tinker SDK against `selftrain serve`.

    selftrain serve --port 8000 &
    python scripts/tinker-sdk.py http://127.0.0.1:8000

Needs `tinker` 0.38.0 from PyPI. Prints the figures as one JSON object, and ends with a traceback when one is not as it
should be.
"""

import json
import sys

import tinker
from tinker import types

RANK = 8
ADAM = types.AdamParams(learning_rate=3e-3, eps=1e-8)


def tensor(values, dtype="float32"):
    return types.TensorData(data=list(values), dtype=dtype, shape=[len(values)])


def datum(prompt, completion, **arrays):
    """Inputs are all tokens but the last, targets all but the first; arrays of the completion are zero on the prompt."""
    tokens = prompt + completion
    aligned = {name: tensor([0.0] * (len(prompt) - 1) + list(values)) for name, values in arrays.items()}
    return types.Datum(
        model_input=types.ModelInput.from_ints(tokens[:-1]),
        loss_fn_inputs={"target_tokens": tensor(tokens[1:], "int64"), **aligned},
    )


def step(client, data, loss):
    """A pass and an optimizer step, sent one after the other without waiting, as the SDK's users do."""
    passed, stepped = client.forward_backward(data, loss), client.optim_step(ADAM)
    result = passed.result()
    return result, stepped.result().metrics


def logprobs_of(result):
    return [list(output["logprobs"].data) for output in result.loss_fn_outputs]


def largest_difference(left, right):
    assert len(left) == len(right)
    return max(abs(a - b) for a, b in zip(left, right))


def supervised(client, tokenizer):
    """The loss of a few worked sums falls; returns it before each step."""
    texts = [("1+2*3=", "7"), ("9-6+3=", "6"), ("8-5=", "3")]
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False)
    data = [datum(encode(prompt), encode(answer), weights=[1.0] * len(encode(answer))) for prompt, answer in texts]
    losses = [step(client, data, "cross_entropy")[0].metrics["loss:sum"] for _ in range(4)]
    assert losses[-1] < 0.9 * losses[0], losses
    return losses


def reinforcement(client, tokenizer):
    """Completions that hold a digit 7 are rewarded; the trainer's logprobs are the sampler's, and rewarded ones rise."""
    sampler = client.save_weights_and_get_sampling_client().result()
    prompts = [tokenizer.encode(text, add_special_tokens=False) for text in ("1+2*3=", "5+4-2=", "6*2-5=", "3+3=")]
    params = types.SamplingParams(max_tokens=24, seed=1, temperature=1.0)
    waiting = [sampler.sample(types.ModelInput.from_ints(prompt), num_samples=8, sampling_params=params) for prompt in prompts]
    seven = tokenizer.encode("7", add_special_tokens=False)[-1]
    data, sampled, rewarded = [], [], []
    for prompt, future in zip(prompts, waiting):
        sequences = future.result().sequences
        rewards = [float(seven in sequence.tokens) for sequence in sequences]
        mean = sum(rewards) / len(rewards)
        for sequence, reward in zip(sequences, rewards):
            advantages = [reward - mean] * len(sequence.tokens)
            data.append(datum(prompt, sequence.tokens, logprobs=sequence.logprobs, advantages=advantages))
            sampled.append((len(prompt) - 1, sequence.logprobs))
            rewarded.append(reward > mean)
    result, metrics = step(client, data, "importance_sampling")
    before = logprobs_of(result)
    mismatch = max(largest_difference(found[start:], expected) for found, (start, expected) in zip(before, sampled))
    assert mismatch < 1e-4, mismatch
    assert metrics["grad_norm"] > 0, metrics
    after = logprobs_of(client.forward(data, "importance_sampling").result())
    gain = sum(sum(b) - sum(a) for a, b, good in zip(before, after, rewarded) if good)
    assert any(rewarded) and gain > 0, gain
    return {"mismatch": mismatch, "gain": gain, "grad_norm": metrics["grad_norm"]}, data, after


def saving(service, client, data, expected):
    """A model made from saved weights is the model, and so is a sampling client of it."""
    path = client.save_state("step-1").result().path
    again = service.create_training_client_from_state(path).result()
    same = logprobs_of(again.forward(data, "importance_sampling").result())
    difference = max(largest_difference(a, b) for a, b in zip(same, expected))
    assert difference < 1e-5, difference
    sampler_path = client.save_weights_for_sampler("step-1").result().path
    sampler = service.create_sampling_client(model_path=sampler_path).result()
    read = sampler.compute_logprobs(data[0].model_input).result()
    assert read[0] is None
    sampler_difference = largest_difference(read[1:], expected[0][: len(read) - 1])
    assert sampler_difference < 1e-4, sampler_difference
    return {"state": difference, "sampler": sampler_difference}


def main(url):
    service = tinker.ServiceClient(base_url=url, api_key="tml-none")
    base_model = service.get_server_capabilities().supported_models[0].model_name
    client = service.create_lora_training_client(base_model=base_model, rank=RANK, seed=0).result()
    tokenizer = client.get_tokenizer()
    losses = supervised(client, tokenizer)
    figures, data, logprobs = reinforcement(client, tokenizer)
    print(json.dumps({"losses": losses, **figures, "differences": saving(service, client, data, logprobs)}))


if __name__ == "__main__":
    main(sys.argv[1])
