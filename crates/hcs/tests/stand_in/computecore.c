/* A stand-in for computecore.dll. Strings come from LocalAlloc. */
#include "stand_in.h"

#define INVALID_STATE ((HRESULT)0x80370105)
#define NOT_FOUND ((HRESULT)0x8037010E)
#define IMAGE_MISMATCH ((HRESULT)0x80370101)
#define NOT_STARTED ((HRESULT)0x80370115)
#define STILL_PENDING ((HRESULT)0x80370117)
#define TIMED_OUT ((HRESULT)0x80370118)
#define CALLBACK_SET ((HRESULT)0x80370119)
#define NO_PROCESS_INFO ((HRESULT)0x8037011D)
#define PROCESS_STOPPED ((HRESULT)0x8037011F)
#define BAD_HANDLE ((HRESULT)0x80070006)

typedef void(WINAPI *Completion)(void *operation, void *context);
typedef struct { INT32 type; const wchar_t *data; void *operation; } Event;
typedef void(WINAPI *EventCallback)(Event *event, void *context);
_Static_assert(sizeof(Event) == 24, "HCS_EVENT has 24 bytes");

/* --- strings ----------------------------------------------------------------------------------------------------- */

/* Longer than any other memory that the tests take: what is freed is not given out again in the same size. */
#define UNITS 70000
#define STRINGS 4096
static wchar_t *given[STRINGS];

static void give(wchar_t **place, const wchar_t *text) {
    if (!place || !text) return;
#ifdef QUICK
    *place = LocalAlloc(LMEM_FIXED, (wcslen(text) + 1) * sizeof *text);
    if (*place) wcscpy(*place, text);
    return;
#endif
    wchar_t *copy = LocalAlloc(LMEM_FIXED, UNITS * sizeof *copy);
    if (!copy) return;
    wcscpy(copy, text);
    for (int i = 0; i < STRINGS; ++i) {
        if (given[i] && given[i] != copy) continue;
        given[i] = copy;
        ++counters.strings;
        break;
    }
    *place = copy;
}

static UINT32 live_strings(void) {
    UINT32 live = 0;
    for (int i = 0; i < STRINGS; ++i)
        if (given[i]) {
            if (HeapSize(GetProcessHeap(), 0, given[i]) == UNITS * sizeof *given[i]) ++live;
            else given[i] = NULL;
        }
    return live;
}

/* --- operations --------------------------------------------------------------------------------------------------- */

EXPORT void *WINAPI HcsCreateOperation(void *context, Completion function) {
    AcquireSRWLockExclusive(&lock);
    int operation = open_slot(KIND_OPERATION);
    if (operation >= 0) slots[operation].function = (void *)function, slots[operation].context = context, slots[operation].type = -1;
    ReleaseSRWLockExclusive(&lock);
    return operation < 0 ? NULL : handle_of(operation);
}

EXPORT void WINAPI HcsCloseOperation(void *operation) {
    AcquireSRWLockExclusive(&lock);
    close_slot(operation, KIND_OPERATION);
    ReleaseSRWLockExclusive(&lock);
}

static DWORD WINAPI run_completion(void *argument) {
    int operation = (int)(UINT_PTR)argument;
    AcquireSRWLockExclusive(&lock);
    slots[operation].state = 2;
    ++counters.calls;
    Completion function = (Completion)slots[operation].function;
    void *context = slots[operation].context;
    WakeAllConditionVariable(&changed);
    ReleaseSRWLockExclusive(&lock);
    /* Even if it was closed meanwhile: nothing says that a service would not. */
    if (function) function(handle_of(operation), context);
    return 0;
}

/* Under the lock. */
static void finish(int operation) {
    on_thread(run_completion, (void *)(UINT_PTR)operation);
}

/* Begins what the document asks for. Under the lock. */
static HRESULT begin(void *handle, int type, const wchar_t *document) {
    int operation = find_slot(handle, KIND_OPERATION);
    if (operation < 0) return BAD_HANDLE;
    if (asks_for(document, L"refuse")) return INVALID_STATE;
    slots[operation].state = 1;
    slots[operation].type = type;
    slots[operation].status = S_OK;
    if (asks_for(document, L"fail")) {
        slots[operation].status = IMAGE_MISMATCH;
        slots[operation].text = L"{\"Error\":-2143878911,\"ErrorMessage\":\"mismatch\"}";
    } else if (type == 0) {
        slots[operation].text = L"[{\"Id\":\"b\",\"State\":\"Running\"},{\"Id\":\"a\"}]";
    } else if (type == 9) {
        slots[operation].text = L"{\"State\":\"Running\"}";
    }
    if (!asks_for(document, L"never")) finish(operation);
    return S_OK;
}

static HRESULT result_of(void *handle, DWORD timeout, ProcessInformation *info, wchar_t **document) {
    HRESULT answer;
    const wchar_t *text = NULL;
    ULONGLONG start = GetTickCount64();
    AcquireSRWLockExclusive(&lock);
    int operation = find_slot(handle, KIND_OPERATION);
    while (operation >= 0 && slots[operation].state == 1 && timeout) {
        ULONGLONG gone = GetTickCount64() - start;
        if (gone >= timeout) break;
        SleepConditionVariableSRW(&changed, &lock, timeout - (DWORD)gone, 0);
    }
    if (operation < 0) answer = BAD_HANDLE;
    else if (slots[operation].state == 0) answer = NOT_STARTED;
    else if (slots[operation].state == 1) answer = timeout ? TIMED_OUT : STILL_PENDING;
    else if (info && slots[operation].type != 10) answer = E_INVALIDARG;
    else {
        answer = slots[operation].status;
        text = slots[operation].text;
        if (info && answer == S_OK) {
            int process = slots[operation].parent;
            if (!slots[process].info.output) answer = NO_PROCESS_INFO;
            else take_streams(process, info);
        }
    }
    give(document, text);
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsGetOperationResult(void *operation, wchar_t **document) { return result_of(operation, 0, NULL, document); }
EXPORT HRESULT WINAPI HcsWaitForOperationResult(void *operation, DWORD timeout, wchar_t **document) { return result_of(operation, timeout, NULL, document); }
EXPORT HRESULT WINAPI HcsWaitForOperationResultAndProcessInfo(void *operation, DWORD timeout, ProcessInformation *info, wchar_t **document) { return result_of(operation, timeout, info, document); }
EXPORT HRESULT WINAPI HcsCancelOperation(void *operation) { (void)operation; return E_NOTIMPL; }
EXPORT INT32 WINAPI HcsGetOperationType(void *operation) {
    AcquireSRWLockExclusive(&lock);
    int index = find_slot(operation, KIND_OPERATION);
    ReleaseSRWLockExclusive(&lock);
    return index < 0 ? -1 : slots[index].type;
}
EXPORT UINT64 WINAPI HcsGetOperationId(void *operation) { return (UINT64)(UINT_PTR)operation; }

/* --- systems ------------------------------------------------------------------------------------------------------ */

EXPORT HRESULT WINAPI HcsCreateComputeSystem(const wchar_t *id, const wchar_t *configuration, void *operation, void *security, void **out) {
    (void)id;
    AcquireSRWLockExclusive(&lock);
    HRESULT answer = security ? E_INVALIDARG : begin(operation, 1, configuration);
    if (answer == S_OK || asks_for(configuration, L"half")) {
        int system = open_slot(KIND_SYSTEM);
        slots[system].manner = manner_of(configuration);
        *out = handle_of(system);
    }
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsOpenComputeSystem(const wchar_t *id, DWORD access, void **out) {
    if (asks_for(id, L"missing")) return NOT_FOUND;
    if (access != GENERIC_ALL) return E_ACCESSDENIED;
    AcquireSRWLockExclusive(&lock);
    *out = handle_of(open_slot(KIND_SYSTEM));
    ReleaseSRWLockExclusive(&lock);
    return S_OK;
}

EXPORT void WINAPI HcsCloseComputeSystem(void *system) {
    AcquireSRWLockExclusive(&lock);
    close_slot(system, KIND_SYSTEM);
    ReleaseSRWLockExclusive(&lock);
}

static HRESULT step(void *system, void *operation, int type, const wchar_t *document) {
    AcquireSRWLockExclusive(&lock);
    HRESULT answer = find_slot(system, KIND_SYSTEM) < 0 ? BAD_HANDLE : begin(operation, type, document);
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsPauseComputeSystem(void *system, void *operation, const wchar_t *options) { return step(system, operation, 4, options); }
EXPORT HRESULT WINAPI HcsResumeComputeSystem(void *system, void *operation, const wchar_t *options) { return step(system, operation, 5, options); }
EXPORT HRESULT WINAPI HcsSaveComputeSystem(void *system, void *operation, const wchar_t *options) { return step(system, operation, 6, options); }
EXPORT HRESULT WINAPI HcsModifyComputeSystem(void *system, void *operation, const wchar_t *settings, HANDLE identity) { return identity ? E_INVALIDARG : step(system, operation, 8, settings); }
EXPORT HRESULT WINAPI HcsEnumerateComputeSystems(const wchar_t *query, void *operation) {
    AcquireSRWLockExclusive(&lock);
    HRESULT answer = begin(operation, 0, query);
    ReleaseSRWLockExclusive(&lock);
    return answer;
}
EXPORT HRESULT WINAPI HcsGetComputeSystemProperties(void *system, void *operation, const wchar_t *query) { return step(system, operation, 9, query); }

static EventCallback last_function;
static void *last_context;

EXPORT HRESULT WINAPI HcsSetComputeSystemCallback(void *handle, INT32 options, void *context, EventCallback function) {
    HRESULT answer = S_OK;
    AcquireSRWLockExclusive(&lock);
    int system = find_slot(handle, KIND_SYSTEM);
    if (system < 0 || options) answer = BAD_HANDLE;
    else if (slots[system].function) answer = CALLBACK_SET;
    else {
        slots[system].function = (void *)function, slots[system].context = context;
        last_function = function, last_context = context;
    }
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

static void tell(EventCallback function, void *context, INT32 type, const wchar_t *text) {
    wchar_t *data = copy_of(text);
    Event event = {type, data, NULL};
    function(&event, context);
    forget(data);
    memset(&event, 0x5A, sizeof event);
}

typedef struct {
    Slot *slot;
    INT32 type;
    const wchar_t *text;
} News;

static DWORD WINAPI run_news(void *argument) {
    News *news = argument;
    if (news->slot->function) tell((EventCallback)news->slot->function, news->slot->context, news->type, news->text);
    HeapFree(GetProcessHeap(), 0, news);
    return 0;
}

/* From a new thread. Under the lock. */
static void happens(int object, INT32 type, const wchar_t *text) {
    News *news = HeapAlloc(GetProcessHeap(), 0, sizeof *news);
    if (!news) return;
    *news = (News){&slots[object], type, text};
    on_thread(run_news, news);
}

EXPORT HRESULT WINAPI HcsStartComputeSystem(void *handle, void *operation, const wchar_t *options) {
    AcquireSRWLockExclusive(&lock);
    int system = find_slot(handle, KIND_SYSTEM), manner = system < 0 ? WELL : slots[system].manner;
    HRESULT answer = system < 0 ? BAD_HANDLE : begin(operation, 2, manner == WELL ? options : manner == MISMATCHES ? L"fail" : L"never");
    if (manner == DISCONNECTS) happens(system, 0x02000000, NULL);
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

static HRESULT end(void *handle, void *operation, int type, const wchar_t *options, const wchar_t *exit) {
    AcquireSRWLockExclusive(&lock);
    int system = find_slot(handle, KIND_SYSTEM);
    HRESULT answer = system < 0 ? BAD_HANDLE : begin(operation, type, options);
    if (answer == S_OK) {
        slots[system].state = 2;
        WakeAllConditionVariable(&changed);
        happens(system, 1, exit);
    }
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsTerminateComputeSystem(void *system, void *operation, const wchar_t *options) { return end(system, operation, 7, options, L"{\"Status\":0}"); }
EXPORT HRESULT WINAPI HcsShutDownComputeSystem(void *system, void *operation, const wchar_t *options) { return end(system, operation, 3, options, L"{\"Status\":0,\"ExitType\":\"GracefulExit\"}"); }

EXPORT HRESULT WINAPI HcsWaitForComputeSystemExit(void *handle, DWORD timeout, wchar_t **result) {
    (void)timeout; /* the tests wait for what has happened, or for nothing */
    AcquireSRWLockExclusive(&lock);
    int system = find_slot(handle, KIND_SYSTEM);
    HRESULT answer = system < 0 ? BAD_HANDLE : slots[system].state == 2 ? S_OK : TIMED_OUT;
    if (answer == S_OK) give(result, L"{\"Status\":0}");
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsCreateProcess(void *system, const wchar_t *parameters, void *operation, void *security, void **out) {
    AcquireSRWLockExclusive(&lock);
    HRESULT answer = find_slot(system, KIND_SYSTEM) < 0 ? BAD_HANDLE : security ? E_INVALIDARG : begin(operation, 10, parameters);
    if (answer == S_OK) {
        int process = open_slot(KIND_PROCESS);
        fill_streams(process, parameters);
        slots[find_slot(operation, KIND_OPERATION)].parent = process;
        *out = handle_of(process);
    }
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT void WINAPI HcsCloseProcess(void *process) {
    AcquireSRWLockExclusive(&lock);
    close_slot(process, KIND_PROCESS);
    ReleaseSRWLockExclusive(&lock);
}

EXPORT HRESULT WINAPI HcsOpenProcess(void *system, DWORD id, DWORD access, void **out) {
    HRESULT answer = S_OK;
    AcquireSRWLockExclusive(&lock);
    if (find_slot(system, KIND_SYSTEM) < 0) answer = BAD_HANDLE;
    else if (id == 404 || access != GENERIC_ALL) answer = (HRESULT)0x80070490;
    else *out = handle_of(open_slot(KIND_PROCESS));
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsSetProcessCallback(void *handle, INT32 options, void *context, EventCallback function) {
    HRESULT answer = S_OK;
    AcquireSRWLockExclusive(&lock);
    int process = find_slot(handle, KIND_PROCESS);
    if (process < 0 || options) answer = BAD_HANDLE;
    else if (slots[process].function) answer = CALLBACK_SET;
    else slots[process].function = (void *)function, slots[process].context = context;
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

static HRESULT process_step(void *process, void *operation, int type, const wchar_t *document) {
    AcquireSRWLockExclusive(&lock);
    int index = find_slot(process, KIND_PROCESS);
    HRESULT answer = index < 0 ? BAD_HANDLE : begin(operation, type, document);
    if (answer == S_OK && type == 14 && asks_for(document, L"StdIn") && slots[index].kept) {
        CloseHandle(slots[index].kept);
        slots[index].kept = NULL;
    }
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsSignalProcess(void *process, void *operation, const wchar_t *options) { return process_step(process, operation, 11, options); }
EXPORT HRESULT WINAPI HcsModifyProcess(void *process, void *operation, const wchar_t *settings) { return process_step(process, operation, 14, settings); }

EXPORT HRESULT WINAPI HcsGetProcessProperties(void *handle, void *operation, const wchar_t *query) {
    AcquireSRWLockExclusive(&lock);
    int process = find_slot(handle, KIND_PROCESS);
    HRESULT answer = process < 0 ? BAD_HANDLE : begin(operation, 13, query);
    if (answer == S_OK) slots[find_slot(operation, KIND_OPERATION)].text = slots[process].state == 2 ? L"{\"Exited\":true,\"ExitCode\":1067}" : L"{\"Exited\":false}";
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsTerminateProcess(void *handle, void *operation, const wchar_t *options) {
    AcquireSRWLockExclusive(&lock);
    int process = find_slot(handle, KIND_PROCESS);
    HRESULT answer = process < 0 ? BAD_HANDLE : slots[process].state == 2 ? PROCESS_STOPPED : begin(operation, 7, options);
    if (answer == S_OK) {
        slots[process].state = 2;
        happens(process, 0x10000, L"{\"ExitCode\":1067}");
    }
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsGetServiceProperties(const wchar_t *query, wchar_t **result) {
    wchar_t text[256];
    int counts = asks_for(query, L"counters");
    AcquireSRWLockExclusive(&lock);
    counters_as_json(text);
    give(result, counts ? text : query ? L"{\"Error\":1}" : L"{\"Properties\":[]}");
    ReleaseSRWLockExclusive(&lock);
    return query && !counts ? INVALID_STATE : S_OK;
}

/* --- for the tests --------------------------------------------------------------------------------------------------- */

EXPORT void WINAPI StandInCounters(Counters *out) {
    AcquireSRWLockExclusive(&lock);
    *out = counters;
    out->live_strings = live_strings();
    ReleaseSRWLockExclusive(&lock);
}

/* Ends every operation that still runs, closed or not, and waits until each was told: on a thread of its own. */
EXPORT void WINAPI StandInFinish(void) {
    for (int i = 0; i < used; ++i) {
        if (slots[i].kind != KIND_OPERATION || slots[i].state != 1) continue;
        HANDLE thread = CreateThread(NULL, 0, run_completion, (void *)(UINT_PTR)i, 0, NULL);
        if (!thread) continue;
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
}

/* Calls the event callback that was set last once more, whatever became of its handle. */
EXPORT void WINAPI StandInLate(void) {
    if (last_function) tell(last_function, last_context, 1, L"{\"Late\":true}");
}
