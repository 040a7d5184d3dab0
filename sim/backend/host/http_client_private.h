/* What the files of the HTTP transport share. */
#pragma once

#include <curl/curl.h>

#include "sim/backend/host/http_client.h"

/* Path and query of a request, below the server's address; owned. */
char *http_client_target(const ApiTypes *types, const ApiRequest *request);
const char *http_client_method(const ApiRequest *request);
const char *http_client_content_type(const ApiRequest *request);
