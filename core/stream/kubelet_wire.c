/* Life of the messages between API server and kubelet. */
#include "core/stream/kubelet_wire.h"

KubeletRequest *
kubelet_request_new(KubeletRequestKind kind, const char *namespace_, const char *pod, const char *container)
{
    KubeletRequest *request = g_new0(KubeletRequest, 1);
    request->kind = kind;
    request->namespace_ = g_strdup(namespace_);
    request->pod = g_strdup(pod);
    request->container = g_strdup(container);
    request->tail_lines = -1;
    return request;
}

void
kubelet_request_free(KubeletRequest *request)
{
    if (request == NULL)
        return;
    g_free(request->namespace_);
    g_free(request->pod);
    g_free(request->container);
    g_free(request->user);
    g_strfreev(request->command);
    g_free(request);
}

KubeletAnswer *
kubelet_answer_new(int code, Value *take, const char *text)
{
    KubeletAnswer *answer = g_new0(KubeletAnswer, 1);
    answer->code = code;
    answer->value = take;
    answer->text = g_strdup(text);
    return answer;
}

void
kubelet_answer_free(KubeletAnswer *answer)
{
    if (answer == NULL)
        return;
    value_unref(answer->value);
    g_free(answer->text);
    g_free(answer);
}

KubeletFrame *
kubelet_frame_new(KubeletFrameKind kind)
{
    KubeletFrame *frame = g_new0(KubeletFrame, 1);
    frame->kind = kind;
    return frame;
}

KubeletFrame *
kubelet_frame_data(int channel, const void *bytes, size_t length)
{
    KubeletFrame *frame = kubelet_frame_new(KUBELET_DATA);
    frame->channel = channel;
    frame->bytes = g_bytes_new(bytes, length);
    return frame;
}

KubeletFrame *
kubelet_frame_code(KubeletFrameKind kind, int code, const char *text)
{
    KubeletFrame *frame = kubelet_frame_new(kind);
    frame->code = code;
    frame->text = g_strdup(text);
    return frame;
}

void
kubelet_frame_free(KubeletFrame *frame)
{
    if (frame == NULL)
        return;
    if (frame->bytes != NULL)
        g_bytes_unref(frame->bytes);
    g_free(frame->text);
    g_free(frame);
}
