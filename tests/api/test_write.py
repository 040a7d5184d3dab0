"""What kubectl does to a cluster: apply, create, scale, roll out, edit, move pods off a node, wait, watch and delete."""
import os
import signal
import subprocess
import sys
import time

from harness import Cluster, finish, need_kubectl


def apply(c):
    c.kubectl('apply -f manifests/drone-tracker', expect=[r'^namespace/drones created$', r'^poddisruptionbudget.policy/api created$'])
    c.kubectl('rollout status deploy/web -n drones --timeout=60s', expect=r'deployment "web" successfully rolled out')
    c.kubectl('rollout status sts/database -n drones --timeout=60s', expect=r'(rolling update complete|roll out complete)')
    generations = 'get -f manifests/drone-tracker -o custom-columns=KIND:.kind,NAME:.metadata.name,GENERATION:.metadata.generation'
    before = c.kubectl(generations)
    # kubectl itself calls Secrets with stringData, claim templates and budgets "configured" each time, on any cluster.
    output = c.kubectl('apply -f manifests/drone-tracker', expect=[r'^deployment.apps/web unchanged$', r'^service/web unchanged$'])
    c.check('created' not in output, 'a second apply makes nothing', output)
    after = c.kubectl(generations)
    c.check(before == after, 'a second apply changes no specification', before + after)
    c.kubectl('diff -f manifests/drone-tracker/50-api.yaml')


def scale_and_roll_out(c):
    c.kubectl('scale deploy/web -n drones --replicas=5', expect=r'^deployment.apps/web scaled$')
    c.kubectl('rollout status deploy/web -n drones --timeout=60s')
    c.until('get deploy web -n drones', r'web +5/5 +5 +5')
    c.kubectl('scale deploy/web -n drones --current-replicas=5 --replicas=3', expect='scaled')
    c.kubectl('scale deploy/web -n drones --current-replicas=9 --replicas=3', status=1, expect=r'[Ee]xpected replicas to be 9, was 3')
    c.kubectl('set image deploy/web -n drones nginx=nginx:1.28', expect=r'image updated')
    c.kubectl('rollout status deploy/web -n drones --timeout=60s', expect='successfully rolled out')
    c.kubectl('rollout history deploy/web -n drones', expect=[r'^REVISION +CHANGE-CAUSE$', r'^1 ', r'^2 '])
    c.kubectl('rollout history deploy/web -n drones --revision=2', expect=r'nginx:1\.28')
    c.kubectl('rollout undo deploy/web -n drones', expect='rolled back')
    c.kubectl('rollout status deploy/web -n drones --timeout=60s', expect='successfully rolled out')
    c.kubectl(['get', 'deploy', 'web', '-n', 'drones', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'], refuse=r':1\.28')
    c.kubectl('rollout restart deploy/api -n drones', expect='restarted')
    c.kubectl('rollout status deploy/api -n drones --timeout=60s')
    c.kubectl('rollout pause deploy/api -n drones', expect='paused')
    c.kubectl('rollout resume deploy/api -n drones', expect='resumed')


def edit(c):
    c.kubectl('label node worker-1 disk=ssd', expect='node/worker-1 labeled')
    c.kubectl('label node worker-1 disk=hdd', status=1, expect='already has a value')
    c.kubectl('label node worker-1 disk-', expect='labeled')
    c.kubectl('annotate deploy/web -n drones note=hello', expect='annotated')
    c.kubectl('taint node worker-2 a=b:NoSchedule', expect='tainted')
    c.kubectl('taint node worker-2 a=b:NoSchedule-', expect='tainted')
    c.kubectl(['patch', 'deploy', 'web', '-n', 'drones', '-p', '{"spec":{"minReadySeconds":1}}'], expect='patched$')
    c.kubectl(['patch', 'deploy', 'web', '-n', 'drones', '--type', 'json', '-p', '[{"op":"remove","path":"/spec/minReadySeconds"}]'], expect='patched$')
    c.kubectl(['patch', 'deploy', 'web', '-n', 'drones', '--type', 'merge', '-p', '{"spec":{"replicas":-1}}'], status=1,
              expect=r'spec\.replicas: Invalid value: -1: must be greater than or equal to 0')
    c.kubectl('edit svc web -n drones', environment={'KUBE_EDITOR': 'sed -i s/30080/30081/'}, expect='service/web edited')
    c.kubectl('get svc web -n drones', expect='80:30081/TCP')
    c.kubectl('set env deploy/web -n drones COLOUR=blue', expect='env updated')
    c.kubectl('expose deploy queue -n drones --port=15672 --name=queue-admin', expect='service/queue-admin exposed')
    c.kubectl('apply --server-side -f -', stdin='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ss"},"data":{"a":"1"}}',
              expect='serverside-applied')
    if c.kubectl_minor() >= 26:
        c.kubectl('get cm ss -o yaml --show-managed-fields', expect=r'operation: Apply')


def create_newer(c):
    """What a kubectl of 1.20 cannot ask for yet, or asks for in versions that are gone."""
    c.kubectl('create poddisruptionbudget b -n made --selector=app=d --min-available=1', expect='created')
    c.kubectl('create token robot -n made', expect=r'^\S{20,}$')
    c.kubectl(['create', 'cronjob', 'cj', '-n', 'made', '--image=busybox', '--schedule=*/5 * * * *', '--', 'date'], expect='cronjob.batch/cj created')
    c.kubectl('create job by-hand -n made --from=cronjob/cj', expect='job.batch/by-hand created')


def create(c):
    c.kubectl('create namespace made', expect='namespace/made created')
    c.kubectl('create namespace made', status=1, expect=r'\(AlreadyExists\): namespaces "made" already exists')
    c.kubectl('create deployment d -n made --image=nginx --replicas=2', expect='deployment.apps/d created')
    c.kubectl('create secret generic s -n made --from-literal=a=b', expect='secret/s created')
    c.kubectl('create secret docker-registry r -n made --docker-username=u --docker-password=p', expect='secret/r created')
    c.kubectl('create configmap m -n made --from-literal=a=b', expect='configmap/m created')
    c.kubectl('create service clusterip d -n made --tcp=80:80', expect='service/d created')
    c.kubectl('create service nodeport n -n made --tcp=80:80', expect='service/n created')
    c.kubectl('create serviceaccount robot -n made', expect='serviceaccount/robot created')
    if c.kubectl_minor() >= 26:
        create_newer(c)
    c.kubectl('create job j -n made --image=busybox -- echo done', expect='job.batch/j created')
    c.kubectl('create quota q -n made --hard=pods=20', expect='resourcequota/q created')
    c.kubectl('create priorityclass high --value=1000', expect='priorityclass.scheduling.k8s.io/high created')
    c.kubectl('wait --for=condition=complete job/j -n made --timeout=60s', expect='condition met')
    c.kubectl('logs job/j -n made', expect='^done$')
    c.kubectl('wait --for=condition=Available deploy/d -n made --timeout=60s')
    c.kubectl('autoscale deploy d -n made --min=1 --max=3', status=1, expect=r'could not find the requested resource')
    c.kubectl('run one -n made --image=nginx --restart=Never', expect='pod/one created')
    c.kubectl('wait --for=condition=Ready pod/one -n made --timeout=60s', expect='met')
    c.until('get quota q -n made', r'pods: \d+/20')
    c.kubectl('describe quota q -n made', expect=r'pods +\d+ +20')
    c.kubectl('create -f -', stdin='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"g-"}}', expect=r'configmap/g-\w{5} created')


def watch(c):
    log = os.path.join(c.home, 'watch.log')
    with open(log, 'w', encoding='utf-8') as out:
        watcher = subprocess.Popen([c.kubectl_path, '--kubeconfig', c.kubeconfig, 'get', 'cm', '-n', 'made', '-w'], stdout=out,
                                   stderr=subprocess.STDOUT, env=c.environment)
    time.sleep(0.5)
    c.kubectl('create configmap seen -n made', expect='created')
    end = time.monotonic() + 10
    text = ''
    while time.monotonic() < end and 'seen' not in text:
        time.sleep(0.1)
        with open(log, encoding='utf-8') as out:
            text = out.read()
    c.check('seen' in text, 'a watch shows what is made', text)
    watcher.send_signal(signal.SIGTERM)
    watcher.wait(10)


def move(c):
    c.kubectl('drain worker-1 --ignore-daemonsets --delete-emptydir-data --force --timeout=120s', timeout=130,
              expect=[r'node/worker-1 cordoned', r'node/worker-1 (drained|evicted)'])
    c.kubectl('get node worker-1', expect=r'Ready,SchedulingDisabled')
    c.kubectl('get pods -A --field-selector spec.nodeName=worker-1', refuse=r'^drones ', expect='kube-proxy')
    c.until('get deploy -n drones', r'web +3/3')
    c.kubectl('uncordon worker-1', expect='uncordoned')


def delete(c):
    c.kubectl('delete pod -n drones -l app=cache', expect=r'pod "cache-\S+" deleted')
    c.until('get deploy cache -n drones', r'cache +1/1')
    c.kubectl('delete deploy d -n made --cascade=foreground', expect=r'deployment.apps "d" deleted')
    c.kubectl('get rs -n made', refuse=r'^d-')
    c.kubectl('delete pod one -n made --now', expect='deleted')
    c.kubectl('delete -f manifests/drone-tracker --timeout=100s', timeout=120, expect=r'namespace "drones" deleted')
    c.kubectl('get ns drones', status=1, expect=r'namespaces "drones" not found')
    c.kubectl('delete ns made --timeout=100s', timeout=120, expect='deleted')
    c.kubectl('delete ns kube-system', status=1, expect='forbidden')


def main(program):
    clusters = []
    for kubectl in need_kubectl()[:1]:
        with Cluster(program, kubectl=kubectl, pace='10') as c:
            clusters.append(c)
            c.kubectl('wait --for=condition=Ready node --all --timeout=60s')
            for part in (apply, scale_and_roll_out, edit, create, watch, move, delete):
                part(c)
    finish(*clusters)


main(sys.argv[1])
