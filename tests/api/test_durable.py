"""What a cluster with a name keeps: over `down` and `up`, over kill -9 at any moment; and what `up` and `down` refuse."""
import http.client
import json
import re
import signal
import socket
import ssl
import sys
import threading

from harness import Cluster, finish, free_port


class Api:
    """A client of the token user, without kubectl."""

    def __init__(self, c):
        with open(c.kubeconfig, encoding='utf-8') as config:
            text = config.read()
        self.token = re.search(r'token: (\S+)', text).group(1)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.connection = http.client.HTTPSConnection('127.0.0.1', c.port, timeout=30, context=context)

    def call(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                {'Authorization': 'Bearer ' + self.token.strip('"'), 'Content-Type': 'application/json'})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b'{}')


CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'


def config_map(name, text):
    return {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': name}, 'data': {'a': text}}


def down_and_up_finds_the_objects(c):
    status, _ = Api(c).call('POST', CONFIG_MAPS, config_map('kept', 'yes'))
    c.check(status == 201, 'a ConfigMap is created', status)
    c.timonel('ls', expect=r'^test +Running ')
    c.timonel(['down', '--name', 'test'])
    c.check(c.server.wait(30) == 0, 'down stops the server', c.server_log())
    c.stop()
    c.timonel('ls', expect=r'^test +Stopped ')
    c.start()
    status, found = Api(c).call('GET', CONFIG_MAPS + '/kept')
    c.check(status == 200 and found['data'] == {'a': 'yes'}, 'up finds what down left', found)


def kill_loses_nothing_acknowledged(c):
    for again in range(3):
        acknowledged = []

        def write(prefix):
            api = Api(c)
            try:
                for i in range(100000):
                    name = '%s-%d' % (prefix, i)
                    status, _ = api.call('POST', CONFIG_MAPS, config_map(name, name))
                    if status == 201:
                        acknowledged.append(name)
            except (OSError, http.client.HTTPException, ValueError):
                pass

        writers = [threading.Thread(target=write, args=('k%d-%d' % (again, n),)) for n in range(2)]
        for writer in writers:
            writer.start()
        threading.Event().wait(0.7 + 0.4 * again)
        c.stop(signal.SIGKILL)
        for writer in writers:
            writer.join()
        c.start()
        status, listed = Api(c).call('GET', CONFIG_MAPS)
        stored = {item['metadata']['name'] for item in listed['items']}
        lost = [name for name in acknowledged if name not in stored]
        c.check(len(acknowledged) > 20 and not lost, 'kill -9 loses no acknowledged write (of %d)' % len(acknowledged), lost[:5])


def up_and_down_refuse(c):
    c.timonel(['up', '--headless', '--name', 'test'], status=1, expect=r'(?i)runs|running')
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        c.timonel(['up', '--headless', '--name', 'other', '--listen', '127.0.0.1:%d' % taken.getsockname()[1]], status=1,
                  expect=r'port is in use')
    c.timonel(['up', '--headless', '--no-such-flag'], status=2, expect=r'Usage: timonel up')
    c.timonel(['up', '--headless', '--nodes', 'many'], status=2)
    c.timonel(['up', '--headless', '--name', 'Not A Name'], status=1, expect=r'cannot be a cluster')
    c.timonel(['up', '--headless', '--name', 'other', '--listen', '127.0.0.1:99999'], status=1, expect='0 to 65535')
    c.timonel(['up', '--headless', '--name', 'other', '--pace', 'brisk', '--listen', '127.0.0.1:%d' % free_port()], status=1, expect='--pace brisk')
    c.timonel(['up', '--headless', '--cluster', 'nowhere'], status=1, expect=r'none of the built-in ones')
    c.timonel(['down'], status=2, expect='which cluster')
    c.timonel(['down', '--name', 'nobody'], status=1, expect='no cluster called "nobody"')
    c.timonel(['kubeconfig', '--name', 'nobody'], status=1, expect='no cluster called "nobody"')
    c.timonel(['frobnicate'], status=2, expect='no command is called')
    c.timonel(['kubeconfig', '--name', 'test'], expect=[r'certificate-authority-data: ', r'client-key-data: ', r'token: '])


def down_delete_removes_all(c):
    c.timonel(['down', '--name', 'test', '--delete'])
    c.server.wait(30)
    c.stop()
    c.timonel('ls', refuse=r'^test ')


def main(program):
    with Cluster(program) as c:
        for part in (down_and_up_finds_the_objects, kill_loses_nothing_acknowledged, up_and_down_refuse, down_delete_removes_all):
            part(c)
    finish(c)


main(sys.argv[1])
