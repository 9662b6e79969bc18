"""Serves a model folder with SkyRL's JAX backend on the CPU: `skyrl-server.py MODEL_FOLDER STATE_FOLDER PORT`.

SkyRL starts its engine through `uv run`, from the command line that started it. Here both run in the environment of
this interpreter, as installed by pip: `pip install torch 'skyrl[tinker,jax]==0.3.0'`. STATE_FOLDER keeps the
database and the checkpoints: a server that is started again there knows the saved weights. The process takes the
engine with it when it ends.
"""

import os
import sys
import typing

import typing_extensions

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Every shape of a batch is compiled once, which takes far longer than to run it; later servers find it here.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", os.path.join(os.path.dirname(sys.prefix), "skyrl-compiled"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# SkyRL's request types need the newer TypedDict, which Python has from 3.12 on.
MEND = "import typing, typing_extensions; typing.TypedDict = typing_extensions.TypedDict"
ENGINE = f"{MEND}; import runpy; runpy.run_module('skyrl.tinker.engine', run_name='__main__')"
typing.TypedDict = typing_extensions.TypedDict

import uvicorn  # noqa: E402
from skyrl.tinker import api  # noqa: E402
from skyrl.tinker.config import EngineConfig, config_to_argv  # noqa: E402

model, state, port = sys.argv[1:]
os.makedirs(state, exist_ok=True)
api._build_uv_run_cmd_engine = lambda _, config: [sys.executable, "-c", ENGINE, *config_to_argv(config)]
api.app.state.engine_config = EngineConfig(
    base_model=model,
    backend="jax",
    backend_config={"max_lora_adapters": 16, "max_lora_rank": 8, "train_micro_batch_size": 16, "sample_max_num_sequences": 32},
    checkpoints_base=os.path.join(state, "checkpoints"),
    database_url=f"sqlite:///{os.path.join(state, 'server.db')}",
)
uvicorn.run(api.app, host="127.0.0.1", port=int(port), log_level="warning")
