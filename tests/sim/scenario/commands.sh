#!/bin/sh
# The commands run and learn as a person types them: exit statuses, files, a lesson's conversation. Usage: commands.sh TIMONEL
timonel=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_DATA_HOME="$folder/data" LC_ALL=C
failed=0

# expect STATUS WORDS COMMAND...: the command ends so, and its output holds the words.
expect() {
    wanted=$1 words=$2
    shift 2
    output=$("$@" 2>&1 </dev/null)
    status=$?
    if [ "$status" -ne "$wanted" ] || ! printf '%s' "$output" | grep -qF -- "$words"; then
        printf 'status %s (expected %s), expected words: %s\n%s\n%s\n\n' "$status" "$wanted" "$words" "$*" "$output"
        failed=1
    fi
}

cat > "$folder/unmet.yaml" <<YAML
apiVersion: sim.timonel.dev/v1
kind: Scenario
metadata: {name: unmet}
title: nothing of that name
expectations:
  atEnd:
  - {title: a ghost, expect: {kind: Pod, name: ghost}}
YAML
echo 'kind: Scenario' > "$folder/broken.yaml"

expect 0 'node-power-loss' "$timonel" run
expect 0 'se queda sin corriente' "$timonel" run --lang es
expect 0 'Digest ' "$timonel" run node-power-loss --seed 3 --report "$folder/r.html" --junit "$folder/r.xml" \
    --trace "$folder/r.chrome.json"
expect 3 'expected at least 1, found 0' "$timonel" run "$folder/unmet.yaml"
expect 1 'not a scenario' "$timonel" run "$folder/broken.yaml"
expect 1 'no scenario of that name' "$timonel" run ghost
expect 2 'must be a number from 1' "$timonel" run --seed -1 bad-rollout
expect 2 'timonel speaks en and es' "$timonel" learn --lang xx
expect 0 'not begun' "$timonel" learn
expect 1 'there is no lesson called' "$timonel" learn ghost
expect 0 '<svg' cat "$folder/r.html"
expect 0 'failures="0"' cat "$folder/r.xml"
expect 2 'expected KIND/NAME' "$timonel" why web
expect 1 'does not run' "$timonel" why pod/web --name nobody

# A conversation: a near miss, the right line, and going on the next day.
talk() {
    printf "$1" | "$timonel" learn what-a-cluster-is 2>&1
}
expect 0 'Those are the machines' printf '%s' "$(talk 'get nodes\ncheck\nnext\nget nodes\ncheck\nquit\n')"
expect 0 '1 of 6 steps' "$timonel" learn
expect 0 'Step 2 of 6' printf '%s' "$(talk 'quit\n')"
expect 0 'not begun' "$timonel" learn --reset

exit $failed
