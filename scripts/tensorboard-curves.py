"""Prints what TensorBoard reads in a folder of event files as JSON: `{tag: [[step, value, wall time], ...]}`."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

accumulator = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
accumulator.Reload()
scalars = {tag: [[point.step, point.value, point.wall_time] for point in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}
print(json.dumps(scalars))
