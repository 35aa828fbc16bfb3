"""What is done about answers, keys, endpoints and a botocore that is another one."""

from tests.mutation.remedy import Remedy

_CLOCK = "a signature of the wrong time"
_PART = "a batch that comes back in part"
_ANSWER = "an answer with two readings"
_KEYS = "keys that would begin a header line"
_ENDPOINT = "an endpoint that is no host to call by HTTP"
_NEWER = "another botocore in Lambda's runtime"

OF_TRANSPORT = [
    Remedy(
        _CLOCK,
        "it is of the moment",
        "errors",
        "        or is_clock_skew(code, message)\n",
        "",
        "errors: a signature of the wrong time passes",
    ),
    Remedy(
        _CLOCK,
        "... by its message alone",
        "aws/signature_errors",
        " and text.startswith(_WRONG_TIMES)",
        "",
        "errors: a signature by the wrong key is the hops own fault",
    ),
    Remedy(
        _CLOCK,
        "it is no refusal of the keys",
        "aws/secret_credentials",
        " and not is_clock_skew(code, message)",
        "",
        "secret_credentials: a signature of the wrong time is no refusal of the keys",
    ),
    Remedy(
        _CLOCK,
        "408 and 429 pass without a document",
        "errors",
        "        or status in _TRANSIENT_STATUSES\n",
        "",
        "errors: a region that cannot be reached passes",
    ),
    Remedy(
        _PART,
        "a key that was left out has no answer",
        "store/batching",
        '_error("ThrottlingException", "left out") for key in left_out',
        "None for key in left_out",
        "partial_batches: a key that was left out is not one without a tombstone",
    ),
    Remedy(
        _PART,
        "a statement that was not executed is not done",
        "store/batching",
        'return None if code in _NEEDS_SINGLE_CALL else _error(code, error.get("Message", ""))',
        "return None if code in _NEEDS_SINGLE_CALL else response",
        "partial_batches: a statement that was not executed fails alone and for the moment",
    ),
    Remedy(
        _ANSWER,
        "a length is digits",
        "aws/http_response",
        "int(_match(_LENGTH, digits)[0])",
        "int(digits)",
        "http_response: a length that is not digits alone is refused",
    ),
    Remedy(
        _ANSWER,
        "... and said once",
        "aws/http_response",
        "if name in headers and name in",
        "if False and name in",
        "http_response: what is said twice of a length is refused",
    ),
    Remedy(
        _ANSWER,
        "... and nothing beside chunks",
        "aws/http_response",
        ' and b"content-length" not in headers',
        "",
        "http_response: chunks beside a length or of an unknown kind are refused",
    ),
    Remedy(
        _ANSWER,
        "the size of a chunk is hex digits",
        "aws/http_response",
        'int(_match(_CHUNK, await reader.readuntil(b"\\r\\n"))[1], 16)',
        'int((await reader.readuntil(b"\\r\\n")).partition(b";")[0], 16)',
        "http_response: the size of a chunk that is not hex digits alone is refused",
    ),
    Remedy(
        _ANSWER,
        "an answer has a largest size",
        "aws/http_response",
        "    _check_size(length)\n",
        "",
        "http_response: the largest answer is read and one byte more is refused unread",
    ),
    Remedy(
        _ANSWER,
        "... in chunks, too",
        "aws/http_response",
        "        _check_size(len(body) + size)\n",
        "",
        "http_response: chunks that are too much together are refused before the last is read",
    ),
    Remedy(
        _KEYS,
        "those of a secret are checked",
        "aws/secret_credentials",
        "if not isinstance(value, str) or not pattern.fullmatch(value):",
        "if not isinstance(value, str):",
        "secret_credentials: keys that no header line can hold are refused and not shown",
    ),
    Remedy(
        _KEYS,
        "... and all others before they sign",
        "aws/http_client",
        "KeyPair.checked(found.access_key, found.secret_key, found.token)",
        "KeyPair(found.access_key, found.secret_key, found.token)",
        "http_client_credentials: keys that would begin another header line are not sent",
    ),
    Remedy(
        _ENDPOINT,
        "it is refused when the function starts",
        "aws/clients",
        "    if not _is_host_url(url):\n",
        "    if False:\n",
        "clients: an endpoint that is no host to call by http is refused",
    ),
    Remedy(
        _NEWER,
        "the SDK's client makes the calls",
        "aws/clients",
        "except (ImportError, AttributeError, TypeError) as error:",
        "except ZeroDivisionError as error:",
        "undocumented_botocore: "
        "with another botocore its own client makes the calls and the log says so",
    ),
]
