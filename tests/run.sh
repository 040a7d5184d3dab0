# Runs the tests that the sanitized build made; sourced by ./test. Ends with the line `N passed, N failed, N skipped`.
long=
if [ "${1:-}" = --long ]; then
    long=1
    shift
fi
export TIMONEL_TEST_LONG="$long"
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

status=0
suites=
for suite in "$@"; do
    suites="$suites --suite $suite"
done
# shellcheck disable=SC2086  # a list of options
meson test -C build-test --no-rebuild --timeout-multiplier 6 --print-errorlogs $suites >build-test/tests.log 2>&1 || status=$?
grep -E '^ *[0-9]+/[0-9]+ |^[A-Z]+:|ERROR|FAIL' build-test/tests.log || true
[ "$status" -eq 0 ] || tail -n 200 build-test/tests.log
count() {
    sed -n "s/^$1: *\([0-9]*\).*/\1/p" build-test/tests.log | head -n 1
}
passed=$(count Ok)
failed=$(($(count Fail) + $(count 'Unexpected Pass') + $(count Timeout)))
echo "${passed:-0} passed, ${failed:-0} failed, $(count Skipped) skipped"
exit "$status"
