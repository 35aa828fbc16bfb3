"""What is done about records that cannot be applied, or that come again."""

from tests.mutation.remedy import Remedy

_POISON = "a record that cannot be applied"
_SIZE = "an item of nearly 400 KB"
_JSON = "anything comes to the entry"
_BUCKET = "the quarantine refuses"
_TWICE = "records come twice, or all again"
_FAULT = "the hop itself is wrong"
_STREAM = "the stream is another"
_POISON_TEST = "record_faults: poison is quarantined wherever it is and all else goes on"
_SIZE_TEST = "record_faults: an item that just fits travels and one byte more is quarantined"
_JSON_TEST = "record_faults: whatever comes each record is done quarantined or given back"
_BUCKET_TEST = "record_faults: what the quarantine refuses is kept in the stream"
_TWICE_TEST = "target_faults: what comes twice is done once"
_AGAIN_TEST = "target_faults: mappings that start over from trim horizon change nothing"
_VIEW_TEST = "envelope: a stream of another view type changes nothing and keeps all"
_ENVELOPE_TEST = "envelope: what is wrong with the hop keeps the whole batch and is logged"
_FAULT_TEST = (
    "target_faults: a hop without its target keeps everything quarantines nothing and says so"
)

OF_RECORDS = [
    Remedy(
        _POISON,
        "what cannot be read is quarantined",
        "errors",
        "case UnreadableRecordError() | ItemTooLargeError():",
        "case ItemTooLargeError():",
        _POISON_TEST,
    ),
    Remedy(
        _POISON,
        "... and what is too large",
        "errors",
        "case UnreadableRecordError() | ItemTooLargeError():",
        "case UnreadableRecordError():",
        _POISON_TEST,
    ),
    Remedy(
        _POISON,
        "... and what the table refuses",
        "errors",
        "refused = any(shape in words for shape in _ITEM_VALIDATION_MESSAGES)",
        "refused = False",
        _POISON_TEST,
    ),
    Remedy(
        _POISON,
        "it is kept",
        "batch",
        "            await self.context.quarantine.put(quarantined)\n",
        "",
        _POISON_TEST,
    ),
    Remedy(
        _POISON,
        "... whole",
        "quarantine",
        '"record": quarantined.record,',
        '"record": quarantined.record["eventID"],',
        _POISON_TEST,
    ),
    Remedy(
        _POISON,
        "... and counted",
        "metrics",
        '"quarantined": len(report.quarantined),',
        '"quarantined": 0,',
        _POISON_TEST,
    ),
    Remedy(
        _POISON,
        "each has a name of its own",
        "quarantine",
        'return f"{number}-{digest}"',
        "return number",
        "record_faults: two records of one number are both kept",
    ),
    Remedy(
        _POISON,
        "of records in a row that are refused, the last alone may be",
        "batch",
        "                if classify(error) is not FailureKind.PERMANENT:\n"
        "                    raise\n"
        "            else:",
        "                raise\n            else:",
        "coalesce: where the last is refused those before it are sent and it alone is quarantined",
    ),
    Remedy(
        _SIZE,
        "what no longer fits is distinguished from other refusals",
        "store/dynamodb",
        'if code == "ValidationException" and "size has exceeded" in str(error):',
        "if False:",
        _SIZE_TEST,
    ),
    Remedy(
        _JSON,
        "what is no batch is refused as a whole",
        "app",
        "    if not isinstance(records, list):\n",
        "    if not isinstance(records, list):\n        return []\n    if False:\n",
        "record_faults: what is no batch is rejected",
    ),
    Remedy(
        _JSON,
        "whatever cannot be read is unreadable",
        "model/records",
        "        AttributeError,\n        OverflowError,",
        "        OverflowError,",
        "records: whatever comes is a change or unreadable",
    ),
    Remedy(
        _JSON,
        "what is no record is reported",
        "envelope",
        'change = record.get("dynamodb") if isinstance(record, Mapping) else None',
        'change = record.get("dynamodb")',
        _JSON_TEST,
    ),
    Remedy(
        _JSON,
        "a failure without a number gives the whole batch back",
        "batch",
        "return number if isinstance(number, str) else WHOLE_BATCH",
        "return number",
        "batch: a failure that cannot be named gives the whole batch back",
    ),
    Remedy(
        _JSON,
        "a number that is none names no object",
        "quarantine",
        "number.isascii() and number.isdecimal() and len(number) <= 40:",
        "number:",
        "record_faults: poison is kept under a name that is one whatever its number",
    ),
    Remedy(
        _BUCKET,
        "what cannot be kept stays in the stream, its key behind it",
        "batch",
        "            await self.context.quarantine.put(quarantined)\n",
        "            try:\n"
        "                await self.context.quarantine.put(quarantined)\n"
        "            except Exception:\n"
        "                pass\n",
        _BUCKET_TEST,
    ),
    Remedy(
        _BUCKET,
        "it is asked again",
        "app",
        "quarantine = RetryingQuarantine(runtime.quarantine, budget)",
        "quarantine = runtime.quarantine",
        "record_faults: a quarantine that refuses for a moment is asked again",
    ),
    Remedy(
        _TWICE,
        "nothing takes the place of what is newer",
        "store/dynamodb",
        'f"attribute_not_exists(#version) OR {older}"',
        'f"attribute_not_exists(#version) OR {older} OR NOT {older}"',
        _AGAIN_TEST,
    ),
    Remedy(
        _TWICE,
        "what is quarantined twice is kept once",
        "quarantine",
        "    text = json.dumps(record, sort_keys=True, default=repr)\n",
        "    text = str(time.time_ns())\n",
        _TWICE_TEST,
    ),
    Remedy(
        _FAULT,
        "what is not known is kept in the stream",
        "errors",
        "return FailureKind.TRANSIENT if passes else FailureKind.FAULT",
        "return FailureKind.TRANSIENT if passes else FailureKind.PERMANENT",
        _FAULT_TEST,
    ),
    Remedy(
        _FAULT,
        "... also a refusal that is not known",
        "errors",
        "return FailureKind.PERMANENT if refused else FailureKind.FAULT",
        "return FailureKind.PERMANENT",
        "target_faults: a target with another key schema empties no stream into the quarantine",
    ),
    Remedy(
        _FAULT,
        "only what lasts is quarantined",
        "batch",
        "            if classify(error) is not FailureKind.PERMANENT:\n"
        "                raise\n"
        "            quarantined = ",
        "            quarantined = ",
        _FAULT_TEST,
    ),
    Remedy(
        _STREAM,
        "what is wrong with the hop is not judged record by record",
        "batch",
        "        check_records(records, context.hop.source_replica)\n",
        "        pass\n",
        _VIEW_TEST,
    ),
    Remedy(
        _STREAM,
        "a view type is known by its name",
        "envelope",
        'if (view := change.get("StreamViewType")) != _BOTH_IMAGES:',
        'if (view := change.get("StreamViewType")) is None:',
        _VIEW_TEST,
    ),
    Remedy(
        _STREAM,
        "the images are those of the event",
        "envelope",
        "    if found != expected:\n",
        "    if not any(found):\n",
        _ENVELOPE_TEST,
    ),
    Remedy(
        _STREAM,
        "the table is the hop's",
        "envelope",
        "!= (source.region, source.table):",
        "is None:",
        _ENVELOPE_TEST,
    ),
    Remedy(
        _STREAM,
        "the numbers are those of versions",
        "envelope",
        "return _wrong_images(record, change) or _wrong_numbers(change)",
        "return _wrong_images(record, change)",
        _ENVELOPE_TEST,
    ),
    Remedy(
        _STREAM,
        "all of the batch stays",
        "batch",
        "unprocessed=[WHOLE_BATCH] * len(records)",
        "unprocessed=[sequence_number(error.record)]",
        _ENVELOPE_TEST,
    ),
    Remedy(
        _FAULT,
        "it is counted, so that an alarm rings",
        "metrics",
        "sum(failure.kind is FailureKind.FAULT for failure in report.failures)",
        "0",
        _FAULT_TEST,
    ),
]
