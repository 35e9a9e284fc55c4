#!/bin/sh
# Run by snakemake from the checkout, inside the environment it has just made from environment.yaml.
set -e
python -m pip install -c requirements.lock -e ".[pipeline]"
