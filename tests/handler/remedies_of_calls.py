"""What is done about calls that fail, and about a function that is stopped."""

from tests.handler.remedy import Remedy

_OUT = "the target answers nothing for long"
_THROTTLED = "the target throttles"
_KILLED = "the function is killed at a call"
_TIME = "the function's time ends"
_OUT_TEST = "target_faults: a target that answers nothing for long has all when it is back"
_THROTTLE_TEST = "target_faults: a target that throttles nine calls of ten gets all within one call"
_KILL_TEST = "target_faults: a function that dies at any of its calls leaves nothing undone"
_TIME_TEST = "target_faults: what there is no time for is given back in order and the rest is done"
_LATE_TEST = "target_faults: no call begins that may not end before the function is stopped"

OF_CALLS = [
    Remedy(
        _OUT,
        "a connection that fails is of the moment",
        "failures",
        "    ConnectionError,\n    HTTPClientError,\n    CredentialRetrievalError,",
        "    CredentialRetrievalError,",
        _OUT_TEST,
    ),
    Remedy(
        _OUT,
        "what was not done is given back",
        "app",
        "return report.response()\n\n\ndef _beat",
        "return Report().response()\n\n\ndef _beat",
        _OUT_TEST,
    ),
    Remedy(
        _OUT,
        "one line for all that failed alike",
        "telling",
        "groups.setdefault((failure.kind, code_of(failure.error)), [])",
        "groups.setdefault((failure.kind, failure.record), [])",
        _OUT_TEST,
    ),
    Remedy(
        _OUT,
        "how much is given back is told",
        "telling",
        '"failures": len(report.failures),',
        '"failures": 0,',
        _OUT_TEST,
    ),
    Remedy(
        _OUT,
        "what failed calls leave in memory is cleared",
        "patience",
        "            gc.enable()\n",
        "",
        "patience: garbage is looked for once a call has failed",
    ),
    Remedy(
        _THROTTLED,
        "to be throttled is of the moment",
        "failures",
        '        "Throttling",\n',
        "",
        _THROTTLE_TEST,
    ),
    Remedy(
        _THROTTLED,
        "a call is made again while there is time",
        "patience",
        "if not self._passes(error) or self._left() - wait <= self._reserve:",
        "if True:",
        _THROTTLE_TEST,
    ),
    Remedy(
        _THROTTLED,
        "... a put is",
        "patience",
        "return await self._call(lambda: self._store.put(key, item, condition))",
        "return await self._store.put(key, item, condition)",
        _THROTTLE_TEST,
    ),
    Remedy(
        _THROTTLED,
        "... a read is",
        "patience",
        "return await self._call(lambda: self._store.read(key))",
        "return await self._store.read(key)",
        _THROTTLE_TEST,
    ),
    Remedy(
        _THROTTLED,
        "... a look at a tombstone is",
        "patience",
        "return await self._call(lambda: self._store.tombstone(key))",
        "return await self._store.tombstone(key)",
        _THROTTLE_TEST,
    ),
    Remedy(
        _THROTTLED,
        "... a tombstone is",
        "patience",
        "return await self._call(lambda: self._store.bury(key, delete))",
        "return await self._store.bury(key, delete)",
        _THROTTLE_TEST,
    ),
    Remedy(
        _THROTTLED,
        "... a stub's removal is",
        "patience",
        "await self._call(lambda: self._store.remove_stub(key, version))",
        "await self._store.remove_stub(key, version)",
        _THROTTLE_TEST,
    ),
    Remedy(
        _THROTTLED,
        "... a plain delete is",
        "patience",
        "return await self._call(lambda: self._store.remove_older(key, version))",
        "return await self._store.remove_older(key, version)",
        "patience: every call of a store is made again",
    ),
    Remedy(
        _THROTTLED,
        "pauses grow",
        "patience",
        "pause = min(2 * pause, LONGEST_PAUSE)",
        "pass",
        "patience: what fails for the moment is tried again after longer and longer pauses",
    ),
    Remedy(
        _THROTTLED,
        "... up to a longest",
        "patience",
        "pause = min(2 * pause, LONGEST_PAUSE)",
        "pause = 2 * pause",
        "patience: what fails for the moment is tried again after longer and longer pauses",
    ),
    Remedy(
        _THROTTLED,
        "... and are drawn",
        "patience",
        "wait = random() * pause",
        "wait = pause",
        "patience: pauses are drawn so that those who failed together do not come back together",
    ),
    Remedy(
        _THROTTLED,
        "no more requests at once than may be",
        "patience",
        "Semaphore(at_once)",
        "Semaphore(10**6)",
        "patience: no more calls are under way than may be",
    ),
    Remedy(
        _KILLED,
        "nothing that ends a process is taken for a failure",
        "batch",
        "self._replicate_run(run)\n            except Exception as error:",
        "self._replicate_run(run)\n            except BaseException as error:",
        _KILL_TEST,
    ),
    Remedy(
        _KILLED,
        "a stub that was left is finished",
        "carry",
        "stands = delete if isinstance(outcome, Written) else _left_by_a_crash(outcome, delete)",
        "stands = delete if isinstance(outcome, Written) else None",
        _KILL_TEST,
    ),
    Remedy(
        _KILLED,
        "a record is set aside before it is told",
        "batch",
        "            await self.work.quarantine.set_aside(lost)\n"
        "            self.report.quarantined.append("
        "Quarantined(_number(record), lost.reason, lost.error))",
        "            self.report.quarantined.append("
        "Quarantined(_number(record), lost.reason, lost.error))\n"
        "            await self.work.quarantine.set_aside(lost)",
        "batch: a record that cannot be set aside is given back with the rest of its key",
    ),
    Remedy(
        _TIME,
        "no call begins that may not end in time",
        "patience",
        "            if self._left() <= self._reserve:\n",
        "            if self._left() <= 0:\n",
        _LATE_TEST,
    ),
    Remedy(
        _TIME,
        "... a call's time and the answer's are kept free",
        "app",
        "reserve=CALL_SECONDS + _ANSWER_SECONDS,",
        "reserve=_ANSWER_SECONDS,",
        _LATE_TEST,
    ),
    Remedy(
        _TIME,
        "... half of a short function's",
        "patience",
        "min(reserve, left() / 2)",
        "reserve",
        "patience: a function with little time uses half of it",
    ),
    Remedy(
        _TIME,
        "the time is Lambda's",
        "app",
        "lambda: context.get_remaining_time_in_millis() / 1000,",
        "lambda: 60.0,",
        _TIME_TEST,
    ),
    Remedy(
        _TIME,
        "to be out of time is of the moment",
        "failures",
        "    OutOfTimeError,\n    ContendedError,",
        "    ContendedError,",
        _TIME_TEST,
    ),
    Remedy(
        _TIME,
        "a pause ends in time",
        "patience",
        "self._left() - wait <= self._reserve",
        "self._left() <= 0",
        "patience: nothing begins when the time left is what a call may take",
    ),
    Remedy(
        _TIME,
        "all later records of a key are given back too",
        "batch",
        "undone = [_number(record) for record in records[done:]]",
        "undone = [_number(records[done])]",
        _OUT_TEST,
    ),
    Remedy(
        _TIME,
        "... and none of them is done before",
        "batch",
        "                self.report.undone.extend(undone)\n                return\n",
        "                self.report.undone.extend(undone)\n",
        "batch: a failure stops its own key and no other",
    ),
]
