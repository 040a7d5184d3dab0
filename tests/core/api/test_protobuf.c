/* Protobuf: what we write we read again, and what clients write. */
#include <string.h>

#include "core/api/schema.h"
#include "core/object/json.h"
#include "tests/core/api/suites.h"

static Value *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    Value *value = json_parse(text, strlen(text), &error);
    ck_assert_msg(value != NULL, "%s: %s", text, error ? error->message : "");
    return value;
}

static const struct {
    const char *kind;
    const char *object;
} ROUNDS[] = {
    {"Deployment", "{\"metadata\":{\"name\":\"web\",\"labels\":{\"a\":\"1\",\"b\":\"2\"},"
                   "\"creationTimestamp\":\"2026-01-02T03:04:05Z\","
                   "\"managedFields\":[{\"manager\":\"k\",\"operation\":\"Update\",\"fieldsV1\":{"
                   "\"f:metadata\":{\"f:labels\":{}}}}]},"
                   "\"spec\":{\"replicas\":0,\"selector\":{\"matchLabels\":{\"a\":\"1\"}},"
                   "\"strategy\":{\"rollingUpdate\":{\"maxSurge\":\"25%\",\"maxUnavailable\":1}},"
                   "\"template\":{\"metadata\":{},\"spec\":{\"containers\":[{\"name\":\"c\","
                   "\"image\":\"nginx\",\"resources\":"
                   "{\"limits\":{\"cpu\":\"500m\",\"memory\":\"1Gi\"}},\"env\":[{\"name\":\"E\","
                   "\"valueFrom\":{\"configMapKeyRef\":"
                   "{\"name\":\"cm\",\"key\":\"k\",\"optional\":false}}}],\"livenessProbe\":{"
                   "\"httpGet\":{\"path\":\"/\",\"port\":\"http\"},"
                   "\"periodSeconds\":5},\"ports\":[{\"containerPort\":80}],\"securityContext\":{"
                   "\"runAsUser\":0}}],"
                   "\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"cm\",\"items\":[{"
                   "\"key\":\"a\",\"path\":\"b\"}]}},"
                   "{\"name\":\"e\",\"emptyDir\":{}}]}}},\"status\":{}}"},
    {"Pod", "{\"metadata\":{},\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{}}],"
            "\"ephemeralContainers\":[{\"name\":\"d\","
            "\"targetContainerName\":\"c\",\"image\":\"b\",\"resources\":{}}],\"securityContext\":{"
            "\"fsGroup\":-1,\"supplementalGroups\":[1,2]}},"
            "\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"state\":{"
            "\"running\":"
            "{\"startedAt\":\"2026-01-01T00:00:00Z\"}},\"lastState\":{},\"ready\":false,"
            "\"restartCount\":0}]}}"},
    {"Secret", "{\"metadata\":{\"name\":\"s\"},\"data\":{\"a\":\"YQ==\",\"empty\":\"\"},"
               "\"immutable\":false,\"type\":\"Opaque\"}"},
    {"Job", "{\"metadata\":{},\"spec\":{\"suspend\":false,\"completions\":3,\"template\":{"
            "\"metadata\":{},\"spec\":{\"containers\":"
            "[{\"name\":\"c\",\"resources\":{}}]}},\"podFailurePolicy\":{\"rules\":[{\"action\":"
            "\"Ignore\",\"onExitCodes\":"
            "{\"operator\":\"In\",\"values\":[1,2]},\"onPodConditions\":[]}]}},\"status\":{}}"},
    {"Lease", "{\"metadata\":{\"name\":\"l\"},\"spec\":{\"renewTime\":\"2026-01-01T00:00:00."
              "123456Z\",\"leaseTransitions\":0}}"},
    {"ControllerRevision", "{\"metadata\":{},\"data\":{\"spec\":{\"x\":[1,null]}},\"revision\":0}"},
    {"SubjectAccessReview", "{\"metadata\":{},\"spec\":{\"user\":\"u\",\"extra\":{\"scopes\":["
                            "\"a\",\"b\"]}},\"status\":{\"allowed\":false}}"},
};

START_TEST(an_object_survives_the_way_to_protobuf_and_back)
{
    g_autoptr(ApiTypes) types = api_types_new();
    const Schema *schema = api_types_lookup(types, ROUNDS[_i].kind)->schema;
    g_autoptr(Value) raw = parse(ROUNDS[_i].object);
    g_autoptr(Value) object = schema_decode(schema, raw, NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = schema_to_protobuf(schema, object, &error);
    g_autoptr(Value) read = schema_from_protobuf(schema, bytes->data, bytes->len, &error);
    ck_assert_msg(read != NULL, "%s", error ? error->message : "");
    /* Structs that are no pointers come back as {}: so compare both with these filled in. */
    g_autoptr(Value) left = schema_default(schema, object);
    g_autoptr(Value) right = schema_default(schema, read);
    g_autofree char *want = json_text(left);
    g_autofree char *got = json_text(right);
    ck_assert_str_eq(got, want);
    /* Cut anywhere, it is refused or smaller, never read beyond its end. */
    for (size_t n = 0; n < bytes->len; n++) {
        g_autofree uint8_t *part = g_memdup2(bytes->data, n);
        g_autoptr(Value) less = schema_from_protobuf(schema, part, n, NULL);
    }
}
END_TEST

/* Bodies that kubectl 1.32.3 sent to a server that only listened. */
static const struct {
    const char *command;
    const char *body; /* base64 */
    const char *object;
} RECORDED[] = {
    {"create deployment web --image=nginx --replicas=3 --port=80",
     "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEoYBCAMSD"
     "AoKCgNhcHASA3dlYh"
     "psChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkwSLgoFbmdpbngSBW5naW54KgAyCgoAEAAYUCIAKgBCAGoAcgC"
     "AAQCIAQCQAQCiAQAa"
     "ADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=",
     "{apiVersion: apps/v1, kind: Deployment, metadata: {labels: {app: web}, name: web}, spec: "
     "{replicas: 3, "
     "selector: {matchLabels: {app: web}}, strategy: {}, template: {metadata: {labels: {app: "
     "web}}, spec: "
     "{containers: [{image: nginx, name: nginx, ports: [{containerPort: 80}], resources: {}}]}}}, "
     "status: {}}"},
    {"create secret generic s --from-literal=a=b",
     "azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAWESAWIaABoAIgA=",
     "{apiVersion: v1, data: {a: 'Yg=='}, kind: Secret, metadata: {name: s}}"},
    {"create job j --image=busybox -- sleep 1",
     "azhzAAoPCghiYXRjaC92MRIDSm9iEoIBChEKAWoSABoAIgAqADIAOABCABJjMmEKEAoAEgAaACIAKgAyADgAQgASTRIqC"
     "gFqEgdidXN5Ym94Gg"
     "VzbGVlcBoBMSoAQgBqAHIAgAEAiAEAkAEAogEAGgVOZXZlcjIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAGgggACgAMAA"
     "6ABoAIgA=",
     "{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: {metadata: {}, spec: "
     "{containers: "
     "[{command: [sleep, '1'], image: busybox, name: j, resources: {}}], restartPolicy: Never}}}, "
     "status: {}}"},
    {"create quota q --hard=cpu=1,memory=1Gi,pods=2",
     "azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRJBChEKAXESABoAIgAqADIAOABCABIqCgoKA2NwdRIDCgExCg8KBm1lbW9ye"
     "RIFCgMxR2kKCwoEcG"
     "9kcxIDCgEyGgAaACIA",
     "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {cpu: '1', memory: "
     "1Gi, pods: '2'}}, "
     "status: {}}"},
    {"create cronjob cj --image=b --schedule='* * * * *' -- echo",
     "azhzAAoTCghiYXRjaC92MRIHQ3JvbkpvYhKcAQoSCgJjahIAGgAiACoAMgA4AEIAEoMBCgkqICogKiAqICoaACp0ChIKA"
     "mNqEgAaACIAKgAyAD"
     "gAQgASXjJcChAKABIAGgAiACoAMgA4AEIAEkgSIQoCY2oSAWIaBGVjaG8qAEIAagByAIABAIgBAJABAKIBABoJT25GYWl"
     "sdXJlMgBCAEoAUgBY"
     "AGAAaACCAQCKAQCaAQDCAQAaABoAIgA=",
     "{apiVersion: batch/v1, kind: CronJob, metadata: {name: cj}, spec: {jobTemplate: {metadata: "
     "{name: cj}, spec: "
     "{template: {metadata: {}, spec: {containers: [{command: [echo], image: b, name: cj, "
     "resources: {}}], "
     "restartPolicy: OnFailure}}}}, schedule: '* * * * *'}, status: {}}"},
    {"create service nodeport np --tcp=80:http",
     "azhzAAoNCgJ2MRIHU2VydmljZRJoCh0KAm5wEgAaACIAKgAyADgAQgBaCQoDYXBwEgJucBJDCh4KBzgwLWh0dHASA1RDU"
     "BhQIgoIARAAGgRodH"
     "RwKAASCQoDYXBwEgJucBoAIghOb2RlUG9ydDoAQgBSAFoAYABoABoCCgAaACIA",
     "{apiVersion: v1, kind: Service, metadata: {labels: {app: np}, name: np}, spec: {ports: "
     "[{name: 80-http, port: "
     "80, protocol: TCP, targetPort: http}], selector: {app: np}, type: NodePort}, status: "
     "{loadBalancer: {}}}"},
    {"create pdb p --selector=a=b --min-available=50%",
     "azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSNgoRCgFwEgAaACIAKgAyADgAQgASFQoJCAEQABoDN"
     "TAlEggKBgoBYRIBYh"
     "oKCAAYACAAKAAwABoAIgA=",
     "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: p}, spec: {minAvailable: "
     "'50%', selector: "
     "{matchLabels: {a: b}}}, status: {currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: "
     "0, expectedPods: "
     "0}}"},
};

START_TEST(what_kubectl_sends_reads_well_and_is_written_alike)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(GError) error = NULL;
    gsize length;
    g_autofree guchar *body = g_base64_decode(RECORDED[_i].body, &length);
    g_autoptr(Value) object = api_from_protobuf(types, body, length, &error);
    ck_assert_msg(object != NULL, "%s: %s", RECORDED[_i].command, error ? error->message : "");
    g_autoptr(Value) expected = value_new_f(RECORDED[_i].object);
    g_autofree char *want = json_text(expected);
    g_autofree char *got = json_text(object);
    ck_assert_str_eq(got, want);
    /* The message inside the envelope, byte for byte. */
    g_autoptr(GByteArray) bytes =
        schema_to_protobuf(api_types_of(types, object)->schema, object, &error);
    ck_assert_msg(memmem(body, length, bytes->data, bytes->len) != NULL, "%s",
                  RECORDED[_i].command);
}
END_TEST

START_TEST(an_envelope_must_be_one_and_name_a_known_kind)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(GError) error = NULL;
    static const uint8_t JSON[] = "{}";
    ck_assert_ptr_null(api_from_protobuf(types, JSON, 2, &error));
    ck_assert_str_eq(
        error->message,
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
    static const uint8_t UNKNOWN[] = {'k', '8', 's', 0, 10, 8, 10, 2, 'v', '1', 18, 2, 'X', 'x'};
    g_clear_error(&error);
    ck_assert_ptr_null(api_from_protobuf(types, UNKNOWN, sizeof UNKNOWN, &error));
    ck_assert_str_eq(error->message, "no kind \"Xx\" is registered for version \"v1\"");
    static const uint8_t NAMESPACE[] = {'k', '8', 's', 0,   10,  15,  10,  2,   'v', '1', 18, 9,
                                        'N', 'a', 'm', 'e', 's', 'p', 'a', 'c', 'e', 18,  7,  10,
                                        5,   10,  3,   'd', 'e', 'v', 26,  0,   34,  0};
    g_clear_error(&error);
    g_autoptr(Value) object = api_from_protobuf(types, NAMESPACE, sizeof NAMESPACE, &error);
    ck_assert_msg(object != NULL, "%s", error ? error->message : "");
    ck_assert_str_eq(value_text_at(object, "metadata.name"), "dev");
    ck_assert_str_eq(value_text_at(object, "apiVersion"), "v1");
}
END_TEST

TCase *
protobuf_case(void)
{
    TCase *tcase = test_case("protobuf", an_envelope_must_be_one_and_name_a_known_kind);
    tcase_add_loop_test(tcase, an_object_survives_the_way_to_protobuf_and_back, 0,
                        G_N_ELEMENTS(ROUNDS));
    tcase_add_loop_test(tcase, what_kubectl_sends_reads_well_and_is_written_alike, 0,
                        G_N_ELEMENTS(RECORDED));
    return tcase;
}
