/* Service account tokens: JSON Web Tokens, signed ES256 with the cluster's key, or, where none is
 * given (simulations, whose doors are not real), HS256 with a key from the world's random stream. A
 * token dies with its account and with the pod it is bound to (k8s.io/kubernetes
 * pkg/serviceaccount). */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "core/apiserver/subresources.h"
#include "core/base/text.h"
#include "core/object/json.h"

#define TOKEN_LENGTH_MAX 16384
#define TOKEN_EXPIRATION_DEFAULT_S 3600
#define TOKEN_EXPIRATION_MIN_S 600
#define TOKEN_ISSUER "https://kubernetes.default.svc.cluster.local"
#define ES256_HALF 32

struct TokenSigner {
    gnutls_privkey_t private_key; /* NULL: HS256 */
    gnutls_pubkey_t public_key;
    uint8_t secret[32];
    bool has_secret;
};

struct TokenSigner *
token_signer_new(const char *key_pem)
{
    struct TokenSigner *signer = g_new0(struct TokenSigner, 1);
    gnutls_datum_t pem = {(unsigned char *)key_pem,
                          key_pem == NULL ? 0 : (unsigned)strlen(key_pem)};

    if (key_pem == NULL)
        return signer;
    g_assert(gnutls_privkey_init(&signer->private_key) == 0);
    g_assert(gnutls_pubkey_init(&signer->public_key) == 0);
    g_assert(gnutls_privkey_import_x509_raw(signer->private_key, &pem, GNUTLS_X509_FMT_PEM, NULL,
                                            0) == 0);
    g_assert(gnutls_pubkey_import_privkey(signer->public_key, signer->private_key, 0, 0) == 0);
    return signer;
}

void
token_signer_free(struct TokenSigner *signer)
{
    if (signer == NULL)
        return;
    if (signer->private_key != NULL) {
        gnutls_privkey_deinit(signer->private_key);
        gnutls_pubkey_deinit(signer->public_key);
    }
    g_free(signer);
}

/* ---- base64url
 * --------------------------------------------------------------------------------------------------
 */

static char *
base64url(const void *bytes, size_t length)
{
    char *text = text_base64(bytes, length);

    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    text[strcspn(text, "=")] = '\0';
    return text;
}

static uint8_t *
base64url_decode(const char *text, size_t length, size_t *ret_length)
{
    g_autoptr(GString) plain = g_string_new_len(text, (gssize)length);

    g_strdelimit(plain->str, "-", '+');
    g_strdelimit(plain->str, "_", '/');
    while (plain->len % 4 != 0)
        g_string_append_c(plain, '=');
    return text_base64_decode(plain->str, ret_length);
}

/* ---- signatures
 * ----------------------------------------------------------------------------------------------------
 */

static void
signer_mac(ApiServer *server, const char *text, size_t length, uint8_t ret_mac[32])
{
    struct TokenSigner *signer = server->signer;

    for (size_t i = 0; i < sizeof signer->secret && !signer->has_secret; i++)
        signer->secret[i] = (uint8_t)random_next(server->ports.random);
    signer->has_secret = true;
    g_assert(gnutls_hmac_fast(GNUTLS_MAC_SHA256, signer->secret, sizeof signer->secret, text,
                              length, ret_mac) == 0);
}

/* An integer's last bytes, padded in front. */
static void
copy_half(uint8_t *half, const gnutls_datum_t *number)
{
    unsigned skip = number->size > ES256_HALF ? number->size - ES256_HALF : 0;

    memset(half, 0, ES256_HALF);
    memcpy(half + ES256_HALF - (number->size - skip), number->data + skip, number->size - skip);
}

static char *
signer_sign(ApiServer *server, const char *text)
{
    gnutls_datum_t data = {(unsigned char *)text, (unsigned)strlen(text)}, signature = {0}, r = {0},
                   s = {0};
    uint8_t raw[2 * ES256_HALF];

    if (server->signer->private_key == NULL) {
        signer_mac(server, text, strlen(text), raw);
        return base64url(raw, 32);
    }
    if (gnutls_privkey_sign_data2(server->signer->private_key, GNUTLS_SIGN_ECDSA_SHA256, 0, &data,
                                  &signature) < 0)
        return g_strdup("");
    g_assert(gnutls_decode_rs_value(&signature, &r, &s) == 0);
    copy_half(raw, &r);
    copy_half(raw + ES256_HALF, &s);
    gnutls_free(signature.data);
    gnutls_free(r.data);
    gnutls_free(s.data);
    return base64url(raw, sizeof raw);
}

static bool
signer_verify(ApiServer *server, const char *text, size_t length, const uint8_t *signature,
              size_t signature_length)
{
    gnutls_datum_t data = {(unsigned char *)text, (unsigned)length}, r, s, der = {0};
    uint8_t mac[32], difference = 0;
    int result;

    if (server->signer->private_key == NULL) {
        signer_mac(server, text, length, mac);
        for (size_t i = 0; i < sizeof mac && signature_length == sizeof mac; i++)
            difference |= mac[i] ^ signature[i];
        return signature_length == sizeof mac && difference == 0;
    }
    if (signature_length != 2 * ES256_HALF)
        return false;
    r = (gnutls_datum_t){(unsigned char *)signature, ES256_HALF};
    s = (gnutls_datum_t){(unsigned char *)signature + ES256_HALF, ES256_HALF};
    if (gnutls_encode_rs_value(&der, &r, &s) < 0)
        return false;
    result = gnutls_pubkey_verify_data2(server->signer->public_key, GNUTLS_SIGN_ECDSA_SHA256, 0,
                                        &data, &der);
    gnutls_free(der.data);
    return result >= 0;
}

/* ---- claims
 * ----------------------------------------------------------------------------------------------------------
 */

static const char *
token_issuer(const ApiServer *server)
{
    return server->options.service_account_issuer == NULL ? TOKEN_ISSUER
                                                          : server->options.service_account_issuer;
}

static char *
token_make(ApiServer *server, const Value *account, const Value *audiences, const Value *bound,
           int64_t expiration_s)
{
    int64_t now = clock_now(server->ports.clock) / NS_PER_S;
    g_autofree char *id = random_uuid(server->ports.random);
    g_autofree char *subject = g_strdup_printf("system:serviceaccount:%s:%s",
                                               object_namespace(account), object_name(account));
    g_autoptr(Value) header =
        value_new_f("{alg: %s, typ: JWT}", server->signer->private_key == NULL ? "HS256" : "ES256");
    g_autoptr(Value) claims =
        value_new_f("{aud: %v, exp: %i, iat: %i, nbf: %i, iss: %s, jti: %s, sub: %s, "
                    "'kubernetes.io': {namespace: %s, "
                    "serviceaccount: {name: %s, uid: %s}, pod: ?%v}}",
                    audiences, now + expiration_s, now, now, token_issuer(server), id, subject,
                    object_namespace(account), object_name(account), object_uid(account), bound);
    g_autofree char *header_json = json_text(header), *claims_json = json_text(claims);
    g_autofree char *first = base64url(header_json, strlen(header_json));
    g_autofree char *second = base64url(claims_json, strlen(claims_json));
    g_autofree char *text = g_strconcat(first, ".", second, NULL);
    g_autofree char *signature = signer_sign(server, text);

    return g_strconcat(text, ".", signature, NULL);
}

/* The claims of a token whose signature and time are right, or NULL. */
static Value *
token_claims(ApiServer *server, const char *token)
{
    const char *first = strchr(token, '.'), *last = strrchr(token, '.');
    size_t length = 0, signature_length = 0;
    g_autofree uint8_t *signature = NULL, *payload = NULL;
    g_autoptr(Value) claims = NULL;
    int64_t now = clock_now(server->ports.clock) / NS_PER_S;

    if (strlen(token) > TOKEN_LENGTH_MAX || first == NULL || first == last)
        return NULL;
    signature = base64url_decode(last + 1, strlen(last + 1), &signature_length);
    if (signature == NULL ||
        !signer_verify(server, token, (size_t)(last - token), signature, signature_length))
        return NULL;
    payload = base64url_decode(first + 1, (size_t)(last - first - 1), &length);
    claims = payload == NULL ? NULL : json_parse((const char *)payload, length, NULL);
    if (claims == NULL || value_int_at(claims, "exp") <= now ||
        strcmp(value_text_at(claims, "iss"), token_issuer(server)) != 0)
        return NULL;
    return g_steal_pointer(&claims);
}

static bool
token_is_bound_to_live(ApiServer *server, const Value *scope)
{
    const Value *account =
        server_head(server, "", "serviceaccounts", value_text_at(scope, "namespace"),
                    value_text_at(scope, "serviceaccount.name"));
    const Value *pod = value_get(scope, "pod");

    if (account == NULL ||
        strcmp(object_uid(account), value_text_at(scope, "serviceaccount.uid")) != 0)
        return false;
    if (pod == NULL)
        return true;
    return strcmp(object_uid(server_head(server, "", "pods", value_text_at(scope, "namespace"),
                                         value_text_at(pod, "name"))),
                  value_text_at(pod, "uid")) == 0;
}

static ApiUser *
token_account_user(const Value *claims)
{
    const Value *scope = value_get(claims, "kubernetes.io");
    g_autofree char *group =
        g_strconcat("system:serviceaccounts:", value_text_at(scope, "namespace"), NULL);
    const char *const groups[] = {"system:serviceaccounts", group, "system:authenticated", NULL};
    ApiUser *user = api_user_new(value_text_at(claims, "sub"), groups);

    user->uid = g_strdup(value_text_at(scope, "serviceaccount.uid"));
    if (value_get(scope, "pod") != NULL)
        user->extra =
            value_new_f("{'authentication.kubernetes.io/pod-name': [%s], "
                        "'authentication.kubernetes.io/pod-uid': [%s]}",
                        value_text_at(scope, "pod.name"), value_text_at(scope, "pod.uid"));
    return user;
}

static ApiUser *
token_static_user(const ApiTokenEntry *entry)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new();
    ApiUser *user;

    for (size_t i = 0; entry->groups != NULL && entry->groups[i] != NULL; i++)
        g_ptr_array_add(groups, (gpointer)entry->groups[i]);
    g_ptr_array_add(groups, (gpointer) "system:authenticated");
    g_ptr_array_add(groups, NULL);
    user = api_user_new(entry->user, (const char *const *)groups->pdata);
    user->uid = g_strdup(entry->uid);
    return user;
}

/* Compares all of it, so that the time taken says nothing about how much was right. */
static bool
token_equal(const char *a, const char *b)
{
    size_t length = strlen(a);
    unsigned char difference = strlen(b) != length;

    for (size_t i = 0; i < length && !difference; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return !difference;
}

ApiUser *
api_server_authenticate_token(ApiServer *server, const char *token)
{
    g_autoptr(Value) claims = NULL;

    for (const ApiTokenEntry *entry = server->options.tokens; entry != NULL && entry->token != NULL;
         entry++)
        if (token_equal(entry->token, token))
            return token_static_user(entry);
    claims = token_claims(server, token);
    if (claims == NULL || !token_is_bound_to_live(server, value_get(claims, "kubernetes.io")))
        return NULL;
    return token_account_user(claims);
}

ApiUser *
api_server_authenticate_certificate(const char *common_name, const char *const *organizations)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new();

    for (size_t i = 0; organizations != NULL && organizations[i] != NULL; i++)
        g_ptr_array_add(groups, (gpointer)organizations[i]);
    g_ptr_array_add(groups, (gpointer) "system:authenticated");
    g_ptr_array_add(groups, NULL);
    return api_user_new(common_name, (const char *const *)groups->pdata);
}

ApiUser *
api_server_anonymous(void)
{
    static const char *const groups[] = {"system:unauthenticated", NULL};

    return api_user_new("system:anonymous", groups);
}

/* ---- serviceaccounts/token
 * ------------------------------------------------------------------------------------------- */

static Value *
token_bound_pod(ApiCall *call, const Value *reference, const Value **ret_bound)
{
    const Value *pod;

    *ret_bound = NULL;
    if (reference == NULL || strcmp(value_text_at(reference, "kind"), "Pod") != 0)
        return NULL;
    pod = server_head(call->server, "", "pods", call->request->namespace_,
                      value_text_at(reference, "name"));
    if (pod == NULL)
        return status_not_found(api_types_by_resource(call->server->types, "", NULL, "pods"),
                                value_text_at(reference, "name"));
    if (*value_text_at(reference, "uid") != '\0' &&
        strcmp(value_text_at(reference, "uid"), object_uid(pod)) != 0)
        return status_conflict(call->kind, object_name(pod),
                               "the UID in the bound object reference does not match the UID in "
                               "record. The object might have been deleted and then recreated");
    *ret_bound = pod;
    return NULL;
}

void
call_token_request(ApiCall *call)
{
    const Value *account = call_head(call), *body = call->request->body, *pod = NULL;
    int64_t expiration =
        value_int_at_or(body, "spec.expirationSeconds", TOKEN_EXPIRATION_DEFAULT_S);
    g_autoptr(Value) audiences = NULL, bound = NULL;
    g_autofree char *token = NULL;
    Value *refusal, *answer = value_is_map(body) ? value_ref(body) : value_new_map();

    if (account == NULL)
        refusal = status_not_found(call->kind, call->request->name);
    else if (expiration < TOKEN_EXPIRATION_MIN_S)
        refusal =
            status_new(422, "Invalid",
                       "TokenRequest.authentication.k8s.io \"\" is invalid: "
                       "spec.expirationSeconds: Invalid value: "
                       "%" G_GINT64_FORMAT ": may not specify a duration less than 10 minutes",
                       expiration);
    else
        refusal = token_bound_pod(call, value_at(body, "spec.boundObjectRef"), &pod);
    if (refusal != NULL) {
        value_unref(answer);
        call_refuse(call, refusal);
        return;
    }
    audiences = value_size(value_at(body, "spec.audiences")) > 0
                    ? value_ref(value_at(body, "spec.audiences"))
                    : value_new_f("[%s]", token_issuer(call->server));
    if (pod != NULL)
        bound = value_new_f("{name: %s, uid: %s}", object_name(pod), object_uid(pod));
    token = token_make(call->server, account, audiences, bound, expiration);
    value_edit(&answer, "kind", value_new_string("TokenRequest"));
    value_edit(&answer, "apiVersion", value_new_string("authentication.k8s.io/v1"));
    value_edit(&answer, "metadata",
               value_new_f("{name: %s, namespace: %s, creationTimestamp: %V}", object_name(account),
                           object_namespace(account), call_now(call->server)));
    value_edit(&answer, "spec.audiences", value_ref(audiences));
    value_edit(&answer, "spec.expirationSeconds", value_new_int(expiration));
    value_edit(&answer, "status",
               value_new_f("{token: %s, expirationTimestamp: %V}", token,
                           value_new_string_take(timestamp_text(
                               clock_now(call->server->ports.clock) + expiration * NS_PER_S))));
    call_answer(call, 201, answer);
}
