# Every recipe is a script or a cargo command that also works alone.

_default:
    @just --list

# everything that is checked before a change lands
test:
    scripts/test

# the same without the black-box tests
quick:
    scripts/test --quick

# format the tree
fmt:
    cargo fmt --all

# formatting and lints, warnings are errors
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# platform and sandbox in one process
run *ARGS:
    cargo run -p hermod-server -- serve --sandbox --data-dir .cache/run {{ ARGS }}

# every figure: rates, sizes, durations
measure *ARGS:
    scripts/measure {{ ARGS }}

# make contracts/ anew from the published specifications
contracts *ARGS:
    scripts/contracts {{ ARGS }}

# note anew which functions a start runs, for the linker
startup-order:
    scripts/startup-order

# a shell (or COMMAND) with a scratch PostgreSQL at $HERMOD_TEST_POSTGRES
pg *COMMAND='bash':
    scripts/postgres {{ COMMAND }}
