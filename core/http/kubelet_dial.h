/* The way from the REST face to kubelets over port/net (core/stream/kubelet_wire.h). */
#pragma once

#include "core/apiserver/apiserver.h"

typedef struct KubeletDial KubeletDial;

/* Borrows the ports, whose net must not be NULL. */
KubeletDial *kubelet_dial_new(const Ports *ports);
void kubelet_dial_free(KubeletDial *dial); /* open streams are closed silently */
/* For pods/log; the request's query says which log. Valid as long as the dial. */
ApiKubeletDialer kubelet_dial_ops(KubeletDial *dial);
