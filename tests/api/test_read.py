"""What kubectl shows of a cluster that runs the drone-tracker: tables, documents, descriptions, logs, discovery, refusals."""
import json
import sys

from harness import Cluster, finish, need_kubectl

AGE = r'(\d+[smh])+'


def tables(c):
    c.kubectl('get nodes', expect=[r'^NAME +STATUS +ROLES +AGE +VERSION$', r'^control-plane-1 +Ready +control-plane +%s +v1\.35\.0$' % AGE,
                                   r'^worker-3 +Ready +<none> '])
    c.kubectl('get nodes -o wide', expect=r'INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME$')
    c.kubectl('get pods -n drones', expect=[r'^NAME +READY +STATUS +RESTARTS +AGE$', r'^api-\w+-\w{5} +1/1 +Running +0 +%s$' % AGE])
    c.kubectl('get pods -n drones -o wide', expect=r'^database-0 +1/1 +Running +0 +%s +10\.244\.\d+\.\d+ +worker-\d +<none> +<none>$' % AGE)
    c.kubectl('get deploy,sts,svc -n drones', expect=[r'^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$', r'^deployment.apps/web +3/3 +3 +3 +',
                                                      r'^statefulset.apps/database +1/1 ', r'^service/web +NodePort +10\.\S+ +<none> +80:30080/TCP '])
    c.kubectl('get all -n drones', expect=r'^replicaset.apps/web-\w+ +3 +3 +3 ')
    c.kubectl('get pods -A', expect=[r'^NAMESPACE +NAME ', r'^kube-system +etcd-control-plane-1 +1/1 +Running', r'^kube-system +kube-proxy-\w+ ',
                                     r'^kube-system +coredns-\w+-\w+ '])
    c.kubectl('get pods -n drones --show-labels -l app=web', expect=r'app=web,pod-template-hash=')
    c.kubectl('get pods -n drones --sort-by=.metadata.name', expect=r'(?s)api-.*cache-.*web-')
    c.kubectl('get pods -n nowhere', expect=r'^No resources found in nowhere namespace\.$')
    c.kubectl('get pods -n drones --field-selector status.phase=Pending', expect='No resources found')
    c.kubectl('get ns,pv,pvc,cm,secrets,sa,ep,ds,jobs,cj,pdb,sc,pc,leases -A', expect=[r'^kube-system +daemonset.apps/kube-proxy ', r'namespace/drones +Active '])


def documents(c):
    deployment = json.loads(c.kubectl('get deploy web -n drones -o json'))
    c.check(deployment['status']['availableReplicas'] == 3 and deployment['spec']['strategy']['type'] == 'RollingUpdate',
            'a Deployment is defaulted and has its status', json.dumps(deployment))
    listed = json.loads(c.kubectl('get pods -n drones -l app=web -o json'))
    c.check(listed['kind'] == 'List' and len(listed['items']) == 3, 'a list of three pods', '')
    c.kubectl('get svc web -n drones -o yaml', expect=[r'^apiVersion: v1$', r'^kind: Service$', r'^  type: NodePort$', r'^    nodePort: 30080$'])
    c.kubectl('get pods -n drones -l app=cache -o name', expect=r'^pod/cache-\w+-\w+$')
    c.kubectl(['get', 'deploy', 'web', '-n', 'drones', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'], expect=r'^nginx:')
    c.kubectl(['get', 'nodes', '-o', 'custom-columns=N:.metadata.name,CPU:.status.capacity.cpu'], expect=r'^worker-1 +4$')
    c.kubectl(['get', 'nodes', '-o', 'go-template={{range .items}}{{.metadata.name}} {{end}}'], expect='control-plane-1 worker-1')
    c.kubectl('get --raw /readyz', expect='^ok$')
    c.kubectl('get --raw /metrics', expect='^# TYPE ')


def descriptions(c):
    c.kubectl('describe node worker-1', expect=[r'^Roles: +<none>', r'MemoryPressure +False', r'^PodCIDR: ', r'Allocated resources:',
                                                r'Lease:', r'Non-terminated Pods:'])
    c.kubectl('describe pod -n drones -l app=api', expect=[r'^Status: +Running', r'^Controlled By: +ReplicaSet/api-', r'Ready +True',
                                                            r'Normal +Scheduled .*Successfully assigned drones/api-', r'Normal +Pulled ', r'Liveness: +http-get '])
    c.kubectl('describe deploy web -n drones', expect=[r'3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable',
                                                       r'ScalingReplicaSet .*Scaled up replica set web-\w+ from 0 to 3', r'Available +True +MinimumReplicasAvailable'])
    c.kubectl('describe svc web -n drones', expect=[r'^Type: +NodePort', r'^Endpoints: +10\.244\.'])
    c.kubectl('describe ns drones', expect=r'^Status: +Active')
    c.kubectl('describe sts database -n drones', expect=r'Pods Status: +1 Running / 0 Waiting / 0 Succeeded / 0 Failed')
    if c.kubectl_minor() >= 26:
        c.kubectl('events -n drones', expect='Scheduled')
    c.kubectl('get events -n drones', expect=r'LAST SEEN +TYPE +REASON +OBJECT +MESSAGE')


def discovery(c):
    c.kubectl('api-resources', expect=[r'^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND$', r'^pods +po +v1 +true +Pod$',
                                       r'^deployments +deploy +apps/v1 +true +Deployment$', r'sim\.timonel\.dev/v1'])
    c.kubectl('api-versions', expect=[r'^apps/v1$', r'^v1$', r'^discovery.k8s.io/v1$'])
    c.kubectl('explain pod.spec.containers.livenessProbe', expect=[r'^KIND: +Pod', r'^VERSION: +v1', r'periodSeconds'])
    c.kubectl('explain deployment.spec.strategy', expect=r'rollingUpdate')
    c.kubectl('version', expect=r'^Server Version: .*v1\.35')
    c.kubectl('cluster-info', expect=r'control plane.* is running at .*https://127\.0\.0\.1:')


def logs(c):
    c.kubectl('logs -n drones deploy/web', expect=r'\S')
    c.kubectl('logs -n drones -l app=api --tail=1', expect=r'\S')
    c.kubectl('logs -n drones database-0 --timestamps --tail=2', expect=r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ')
    c.kubectl('logs -n drones database-0 -c nothing', status=1, expect=r'container nothing is not valid for pod database-0')
    c.kubectl('logs -n drones nobody', status=1, expect=r'pods "nobody" not found')


def refusals(c):
    c.kubectl('get gizmos', status=1, expect=r'the server doesn\'t have a resource type "gizmos"')
    c.kubectl('get pod nobody -n drones', status=1, expect=r'^Error from server \(NotFound\): pods "nobody" not found$')
    c.kubectl('get pods -l a=b=c', status=1, expect=r'unable to parse|Error from server \(BadRequest\)|found')
    c.kubectl('create -f -', stdin='{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}', status=1,
              expect=r'The Pod "p" is invalid: spec\.containers\[0\]\.image: Required value')
    c.kubectl('create -f -', stdin='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"p"},"dta":{}}', status=1,
              expect=r'unknown field "dta"')
    c.kubectl('create -f -', stdin='{"apiVersion":"example.com/v9","kind":"Gizmo","metadata":{"name":"p"}}', status=1,
              expect=r'no matches for kind "Gizmo" in version "example.com/v9"')


def token_user(c):
    c.kubectl('--context %s-token get nodes' % c.name, expect='worker-1')
    c.kubectl('--context %s-token auth can-i create pods' % c.name, expect='^yes$')
    c.run(c.kubectl_path, '--kubeconfig', c.kubeconfig, '--context', c.name + '-token', '--token', 'wrong', '--user', 'nobody', 'get', 'nodes',
          status=1, expect=r'Unauthorized|must be logged in|does not exist')


def main(program):
    clusters = []
    for kubectl in need_kubectl():
        with Cluster(program, kubectl=kubectl, pace='10') as c:
            clusters.append(c)
            c.kubectl('apply -f manifests/drone-tracker', expect=r'deployment.apps/web created')
            c.kubectl('wait --for=condition=Available deploy --all -n drones --timeout=60s', expect='deployment.apps/web condition met')
            c.until('get sts -n drones', r'database +1/1')
            c.until('get pods -A', r'coredns-\S+ +1/1', refuse=r'( 0/|Pending|ContainerCreating)')
            for part in (tables, documents, descriptions, discovery, logs, refusals, token_user):
                part(c)
    finish(*clusters)


main(sys.argv[1])
