#!/bin/sh
# Install everything that the sandbox needs into an environment of its own: our packages as wheels, the others in the
# versions of the lock. The Dockerfile and `nox -s rehearsal` both run it.
#
#     deployment/install.sh ENVIRONMENT
set -eu
environment=$1
uv=${UV:-uv}
root=$(cd "$(dirname "$0")/../../.." && pwd)
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
cd "$root"

ours="chanx-core chanx-asyncapi chanx-testing chanx-django"
for package in $ours; do
  "$uv" build --quiet --wheel --no-sources --package "$package" --out-dir "$wheels"
done
"$uv" export --quiet --locked --package sandbox-django --no-default-groups \
  --no-hashes --no-annotate --no-header --no-emit-workspace \
  --output-file "$wheels/requirements.txt" > /dev/null
"$uv" venv --quiet --clear "$environment"
"$uv" pip install --quiet --python "$environment" --no-sources --no-deps --requirements "$wheels/requirements.txt"
# uv's cache knows a wheel by its name, and a wheel of this version may have been built before.
fresh=$(for package in $ours; do printf -- '--reinstall-package %s --refresh-package %s ' "$package" "$package"; done)
# shellcheck disable=SC2086 # several options
"$uv" pip install --quiet --python "$environment" --no-sources --no-deps $fresh "$wheels"/*.whl
"$uv" pip check --quiet --python "$environment"
