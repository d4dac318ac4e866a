/* A stand-in for vmcompute.dll. Strings come from CoTaskMemAlloc; a spy on that allocator sees what becomes of them. */
#define COBJMACROS
#include "stand_in.h"
#include <objidl.h>

#define PENDING ((HRESULT)0xC0370103)
#define INVALID_STATE ((HRESULT)0xC0370105)
#define NOT_FOUND ((HRESULT)0xC037010E)
#define INVALID_JSON ((HRESULT)0xC037010D)
#define IMAGE_MISMATCH ((HRESULT)0xC0370101)
#define UNEXPECTED_EXIT ((HRESULT)0xC0370106)
#define BAD_HANDLE ((HRESULT)0x80070006)

typedef void(WINAPI *Callback)(UINT32 type, void *context, HRESULT status, const wchar_t *data);

/* --- strings ----------------------------------------------------------------------------------------------------- */

#define STRINGS 8192
static struct { void *memory; int live; } given[STRINGS];
static SRWLOCK strings_lock = SRWLOCK_INIT;

static void freed(void *memory) {
    AcquireSRWLockExclusive(&strings_lock);
    for (int i = 0; memory && i < STRINGS; ++i) {
        if (given[i].memory != memory) continue;
        if (given[i].live) given[i].live = 0, --counters.live_strings;
        else ++counters.freed_twice;
        break;
    }
    ReleaseSRWLockExclusive(&strings_lock);
}

/* The allocator gives the same memory to somebody else: it is no string of ours any more. */
static void allocated(void *memory) {
    AcquireSRWLockExclusive(&strings_lock);
    for (int i = 0; memory && i < STRINGS; ++i)
        if (given[i].memory == memory) given[i].memory = NULL;
    ReleaseSRWLockExclusive(&strings_lock);
}

static HRESULT WINAPI spy_query(IMallocSpy *self, REFIID id, void **out) { (void)id; *out = self; return S_OK; }
static ULONG WINAPI spy_count(IMallocSpy *self) { (void)self; return 1; }
static SIZE_T WINAPI spy_pre_alloc(IMallocSpy *self, SIZE_T size) { (void)self; return size; }
static void *WINAPI spy_post_alloc(IMallocSpy *self, void *memory) { (void)self; allocated(memory); return memory; }
static void *WINAPI spy_pre_free(IMallocSpy *self, void *memory, BOOL spied) { (void)self; (void)spied; freed(memory); return memory; }
static void WINAPI spy_post_free(IMallocSpy *self, BOOL spied) { (void)self; (void)spied; }
static SIZE_T WINAPI spy_pre_realloc(IMallocSpy *self, void *memory, SIZE_T size, void **out, BOOL spied) { (void)self; (void)spied; *out = memory; return size; }
static void *WINAPI spy_post_realloc(IMallocSpy *self, void *memory, BOOL spied) { (void)self; (void)spied; return memory; }
static void *WINAPI spy_pre_size(IMallocSpy *self, void *memory, BOOL spied) { (void)self; (void)spied; return memory; }
static SIZE_T WINAPI spy_post_size(IMallocSpy *self, SIZE_T size, BOOL spied) { (void)self; (void)spied; return size; }
static void *WINAPI spy_pre_did(IMallocSpy *self, void *memory, BOOL spied) { (void)self; (void)spied; return memory; }
static int WINAPI spy_post_did(IMallocSpy *self, void *memory, BOOL spied, int did) { (void)self; (void)memory; (void)spied; return did; }
static void WINAPI spy_heap(IMallocSpy *self) { (void)self; }

static IMallocSpyVtbl spy_functions = {
    spy_query, spy_count, spy_count, spy_pre_alloc, spy_post_alloc, spy_pre_free, spy_post_free, spy_pre_realloc,
    spy_post_realloc, spy_pre_size, spy_post_size, spy_pre_did, spy_post_did, spy_heap, spy_heap,
};
static IMallocSpy spy = {&spy_functions};
static INIT_ONCE spied = INIT_ONCE_STATIC_INIT;

static BOOL WINAPI start_spying(INIT_ONCE *once, void *context, void **out) {
    (void)once, (void)context, (void)out;
    return SUCCEEDED(CoRegisterMallocSpy(&spy));
}

static void give(wchar_t **place, const wchar_t *text) {
    if (!place) return;
#ifdef QUICK
    size_t length = (wcslen(text) + 1) * sizeof *text;
    *place = CoTaskMemAlloc(length);
    if (*place) memcpy(*place, text, length);
    return;
#endif
    InitOnceExecuteOnce(&spied, start_spying, NULL, NULL);
    size_t bytes = (wcslen(text) + 1) * sizeof *text;
    wchar_t *copy = CoTaskMemAlloc(bytes);
    if (!copy) return;
    memcpy(copy, text, bytes);
    AcquireSRWLockExclusive(&strings_lock);
    for (int i = 0; i < STRINGS; ++i) {
        if (given[i].live) continue;
        given[i].memory = copy;
        given[i].live = 1;
        ++counters.strings, ++counters.live_strings;
        break;
    }
    ReleaseSRWLockExclusive(&strings_lock);
    *place = copy;
}

/* --- notifications ------------------------------------------------------------------------------------------------ */

typedef struct {
    int callback;
    UINT32 type, times;
    HRESULT status;
    const wchar_t *data;
} Post;

static DWORD WINAPI run_post(void *argument) {
    Post *post = argument;
    Slot *slot = &slots[post->callback];
    for (UINT32 i = 0; i < post->times; ++i) {
        AcquireSRWLockExclusive(&lock);
        int open = slot->open;
        if (open) ++slot->running, ++counters.calls;
        ReleaseSRWLockExclusive(&lock);
        if (!open) break;
        wchar_t *data = copy_of(post->data);
        ((Callback)slot->function)(post->type, slot->context, post->status, data);
        forget(data);
        AcquireSRWLockExclusive(&lock);
        --slot->running;
        WakeAllConditionVariable(&changed);
        ReleaseSRWLockExclusive(&lock);
    }
    HeapFree(GetProcessHeap(), 0, post);
    return 0;
}

/* To one callback, from a new thread. Under the lock. */
static void post_to(int callback, UINT32 type, UINT32 times, HRESULT status, const wchar_t *data) {
    Post *post = HeapAlloc(GetProcessHeap(), 0, sizeof *post);
    if (!post) return;
    *post = (Post){callback, type, times, status, data};
    on_thread(run_post, post);
}

/* To every callback of an object. Under the lock. */
static void post(int parent, UINT32 type, HRESULT status, const wchar_t *data) {
    for (int i = 0; i < used; ++i)
        if (slots[i].kind == KIND_CALLBACK && slots[i].open && slots[i].parent == parent) post_to(i, type, 1, status, data);
}

static Callback last_function;
static void *last_context;

static HRESULT add_callback(void *handle, int kind, Callback function, void *context, void **out) {
    AcquireSRWLockExclusive(&lock);
    int parent = find_slot(handle, kind), callback = parent < 0 ? -1 : open_slot(KIND_CALLBACK);
    if (callback >= 0) {
        slots[callback].parent = parent;
        slots[callback].function = (void *)function;
        slots[callback].context = context;
        *out = handle_of(callback);
        /* A creation that is pending is told to whoever registers after it. */
        if (slots[parent].pending) {
            int broken = slots[parent].pending == 2;
            slots[parent].pending = 0;
            post(parent, 0x2, broken ? IMAGE_MISMATCH : S_OK, broken ? L"{\"Error\":-1070137087}" : NULL);
        }
    }
    ReleaseSRWLockExclusive(&lock);
    return callback < 0 ? BAD_HANDLE : S_OK;
}

/* Waits for callbacks that run, as the real one does. */
static HRESULT remove_callback(void *handle) {
    AcquireSRWLockExclusive(&lock);
    int callback = close_slot(handle, KIND_CALLBACK);
    if (callback >= 0) {
        while (slots[callback].running) SleepConditionVariableSRW(&changed, &lock, INFINITE, 0);
        last_function = (Callback)slots[callback].function;
        last_context = slots[callback].context;
    }
    ReleaseSRWLockExclusive(&lock);
    return callback < 0 ? BAD_HANDLE : S_OK;
}

EXPORT HRESULT WINAPI HcsRegisterComputeSystemCallback(void *system, Callback function, void *context, void **out) { return add_callback(system, KIND_SYSTEM, function, context, out); }
EXPORT HRESULT WINAPI HcsUnregisterComputeSystemCallback(void *callback) { return remove_callback(callback); }
EXPORT HRESULT WINAPI HcsRegisterProcessCallback(void *process, Callback function, void *context, void **out) { return add_callback(process, KIND_PROCESS, function, context, out); }
EXPORT HRESULT WINAPI HcsUnregisterProcessCallback(void *callback) { return remove_callback(callback); }

/* --- systems ------------------------------------------------------------------------------------------------------ */

EXPORT HRESULT WINAPI HcsEnumerateComputeSystems(const wchar_t *query, wchar_t **systems, wchar_t **result) {
    if (asks_for(query, L"refuse")) { give(result, L"{\"ErrorMessage\":\"refused\"}"); return INVALID_JSON; }
    give(systems, L"[]");
    give(result, L"{\"ErrorMessage\":\"only a remark\"}");
    return S_OK;
}

EXPORT HRESULT WINAPI HcsCreateComputeSystem(const wchar_t *id, const wchar_t *configuration, HANDLE identity, void **out, wchar_t **result) {
    (void)id;
    if (identity || asks_for(configuration, L"refuse")) {
        give(result, L"{\"Error\":-1070137075,\"ErrorMessage\":\"\x00e4 refused\"}");
        return INVALID_JSON;
    }
    AcquireSRWLockExclusive(&lock);
    int system = open_slot(KIND_SYSTEM);
    if (system >= 0) *out = handle_of(system);
    if (asks_for(configuration, L"pending")) slots[system].pending = 1;
    if (asks_for(configuration, L"broken")) slots[system].pending = 2;
    slots[system].manner = manner_of(configuration);
    int pending = slots[system].pending;
    ReleaseSRWLockExclusive(&lock);
    if (asks_for(configuration, L"half")) return INVALID_STATE; /* fails, and leaves a handle to close */
    return pending ? PENDING : S_OK;
}

EXPORT HRESULT WINAPI HcsOpenComputeSystem(const wchar_t *id, void **out, wchar_t **result) {
    (void)result;
    if (asks_for(id, L"missing")) return NOT_FOUND;
    AcquireSRWLockExclusive(&lock);
    *out = handle_of(open_slot(KIND_SYSTEM));
    ReleaseSRWLockExclusive(&lock);
    return S_OK;
}

EXPORT HRESULT WINAPI HcsCloseComputeSystem(void *system) {
    AcquireSRWLockExclusive(&lock);
    int index = close_slot(system, KIND_SYSTEM);
    /* Whoever closes a system first and unregisters then does it in the wrong order. */
    for (int i = 0; index >= 0 && i < used; ++i)
        if (slots[i].kind == KIND_CALLBACK && slots[i].open && slots[i].parent == index) ++counters.bad_handles;
    ReleaseSRWLockExclusive(&lock);
    return index < 0 ? BAD_HANDLE : S_OK;
}

static HRESULT step(void *handle, const wchar_t *options, wchar_t **result, UINT32 type, const wchar_t *data) {
    HRESULT answer = PENDING;
    AcquireSRWLockExclusive(&lock);
    int system = find_slot(handle, KIND_SYSTEM);
    if (system < 0) answer = BAD_HANDLE;
    else if (asks_for(options, L"refuse")) answer = INVALID_STATE;
    else post(system, type, S_OK, data);
    ReleaseSRWLockExclusive(&lock);
    if (answer == INVALID_STATE) give(result, L"{\"Error\":-1070137083}");
    return answer;
}

#define EXITED L"{\"Status\":0,\"ExitType\":\"GracefulExit\"}"
EXPORT HRESULT WINAPI HcsStartComputeSystem(void *handle, const wchar_t *options, wchar_t **result) {
    HRESULT answer = PENDING;
    AcquireSRWLockExclusive(&lock);
    int system = find_slot(handle, KIND_SYSTEM), manner = system < 0 ? WELL : slots[system].manner;
    if (system < 0) answer = BAD_HANDLE;
    else if (asks_for(options, L"refuse")) answer = INVALID_STATE;
    else if (manner == WELL) post(system, 0x3, S_OK, NULL);
    else if (manner == CRASHES) post(system, 0x1, UNEXPECTED_EXIT, CRASH_DOCUMENT);
    else if (manner == DISCONNECTS) post(system, 0x01000000, S_OK, NULL);
    else if (manner == MISMATCHES) post(system, 0x3, IMAGE_MISMATCH, MISMATCH_DOCUMENT);
    ReleaseSRWLockExclusive(&lock);
    if (manner == HANGS) {
        Sleep(300); /* others come and go meanwhile */
        AcquireSRWLockExclusive(&lock);
        post(system, 0x3, S_OK, NULL);
        ReleaseSRWLockExclusive(&lock);
    }
    if (answer == INVALID_STATE) give(result, L"{\"Error\":-1070137083}");
    return answer;
}
EXPORT HRESULT WINAPI HcsResumeComputeSystem(void *system, const wchar_t *options, wchar_t **result) { return step(system, options, result, 0x5, NULL); }
EXPORT HRESULT WINAPI HcsSaveComputeSystem(void *system, const wchar_t *options, wchar_t **result) { return step(system, options, result, 0x8, NULL); }
EXPORT HRESULT WINAPI HcsModifyComputeSystem(void *handle, const wchar_t *configuration, wchar_t **result) {
    AcquireSRWLockExclusive(&lock);
    int system = find_slot(handle, KIND_SYSTEM);
    ReleaseSRWLockExclusive(&lock);
    if (system < 0) return BAD_HANDLE;
    if (!asks_for(configuration, L"refuse")) return S_OK;
    give(result, L"{\"Error\":-1070137083}");
    return INVALID_STATE;
}
/* The counters of this stand-in. */
EXPORT HRESULT WINAPI HcsGetServiceProperties(const wchar_t *query, wchar_t **properties, wchar_t **result) {
    wchar_t text[256];
    (void)query, (void)result;
    AcquireSRWLockExclusive(&lock);
    counters_as_json(text);
    ReleaseSRWLockExclusive(&lock);
    give(properties, text);
    return S_OK;
}
EXPORT HRESULT WINAPI HcsShutdownComputeSystem(void *system, const wchar_t *options, wchar_t **result) { return step(system, options, result, 0x1, EXITED); }
EXPORT HRESULT WINAPI HcsTerminateComputeSystem(void *system, const wchar_t *options, wchar_t **result) { return step(system, options, result, 0x1, EXITED); }
EXPORT HRESULT WINAPI HcsPauseComputeSystem(void *system, const wchar_t *options, wchar_t **result) { return step(system, options, result, 0x4, NULL); }

EXPORT HRESULT WINAPI HcsGetComputeSystemProperties(void *handle, const wchar_t *query, wchar_t **properties, wchar_t **result) {
    (void)result;
    AcquireSRWLockExclusive(&lock);
    int system = find_slot(handle, KIND_SYSTEM);
    ReleaseSRWLockExclusive(&lock);
    if (system < 0) return BAD_HANDLE;
    give(properties, query);
    return S_OK;
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

EXPORT HRESULT WINAPI HcsCreateProcess(void *handle, const wchar_t *parameters, ProcessInformation *info, void **out, wchar_t **result) {
    HRESULT answer = S_OK;
    AcquireSRWLockExclusive(&lock);
    if (find_slot(handle, KIND_SYSTEM) < 0) answer = BAD_HANDLE;
    else if (asks_for(parameters, L"refuse")) answer = INVALID_STATE;
    else {
        int process = open_slot(KIND_PROCESS);
        fill_streams(process, parameters);
        take_streams(process, info);
        *out = handle_of(process);
        if (asks_for(parameters, L"half")) answer = INVALID_STATE; /* fails, and leaves handles to close */
    }
    ReleaseSRWLockExclusive(&lock);
    if (answer == INVALID_STATE) give(result, L"{\"Error\":-1070137083}");
    return answer;
}

EXPORT HRESULT WINAPI HcsOpenProcess(void *handle, UINT32 id, void **out, wchar_t **result) {
    (void)result;
    HRESULT answer = S_OK;
    AcquireSRWLockExclusive(&lock);
    if (find_slot(handle, KIND_SYSTEM) < 0) answer = BAD_HANDLE;
    else if (id == 404) answer = (HRESULT)0x80070490;
    else *out = handle_of(open_slot(KIND_PROCESS));
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsCloseProcess(void *process) {
    AcquireSRWLockExclusive(&lock);
    int index = close_slot(process, KIND_PROCESS);
    ReleaseSRWLockExclusive(&lock);
    return index < 0 ? BAD_HANDLE : S_OK;
}

EXPORT HRESULT WINAPI HcsGetProcessInfo(void *process, ProcessInformation *info, wchar_t **result) {
    (void)result;
    AcquireSRWLockExclusive(&lock);
    int index = find_slot(process, KIND_PROCESS);
    if (index >= 0) take_streams(index, info);
    ReleaseSRWLockExclusive(&lock);
    return index < 0 ? BAD_HANDLE : S_OK;
}

static int ended; /* how many processes were */

EXPORT HRESULT WINAPI HcsTerminateProcess(void *process, wchar_t **result) {
    (void)result;
    AcquireSRWLockExclusive(&lock);
    int index = find_slot(process, KIND_PROCESS);
    if (index >= 0 && slots[index].running) {
        ReleaseSRWLockExclusive(&lock);
        return HRESULT_FROM_WIN32(ERROR_TIMEOUT); /* it would wait */
    }
    ++ended;
    WakeAllConditionVariable(&changed);
    HRESULT answer = index < 0 ? BAD_HANDLE : slots[index].state == 2 ? NOT_FOUND : S_OK;
    if (answer == S_OK) {
        slots[index].state = 2;
        post(index, 0x10000, S_OK, L"{\"ExitCode\":1067}");
    }
    ReleaseSRWLockExclusive(&lock);
    return answer;
}

EXPORT HRESULT WINAPI HcsGetProcessProperties(void *process, wchar_t **properties, wchar_t **result) {
    (void)result;
    AcquireSRWLockExclusive(&lock);
    int index = find_slot(process, KIND_PROCESS);
    int exited = index >= 0 && slots[index].state == 2;
    ReleaseSRWLockExclusive(&lock);
    if (index < 0) return BAD_HANDLE;
    give(properties, exited ? L"{\"Exited\":true,\"ExitCode\":1067}" : L"{\"Exited\":false}");
    return S_OK;
}

static HRESULT tell_process(void *process, const wchar_t *document, const wchar_t *word) {
    AcquireSRWLockExclusive(&lock);
    int index = find_slot(process, KIND_PROCESS);
    if (index >= 0 && asks_for(document, L"CtrlLogOff")) {
        /* It waits until a process was ended; whoever ends this one through the same handle waits for it. */
        ++slots[index].running;
        for (int i = 0; i < 600 && !ended; ++i) SleepConditionVariableSRW(&changed, &lock, 100, 0);
        --slots[index].running;
    }
    /* Whoever is told that its input ends reads the end of it. */
    if (index >= 0 && asks_for(document, L"StdIn") && slots[index].kept) {
        CloseHandle(slots[index].kept);
        slots[index].kept = NULL;
    }
    ReleaseSRWLockExclusive(&lock);
    return index < 0 ? BAD_HANDLE : asks_for(document, word) ? S_OK : INVALID_JSON;
}

EXPORT HRESULT WINAPI HcsSignalProcess(void *process, const wchar_t *options, wchar_t **result) { (void)result; return tell_process(process, options, L"\"Signal\""); }
EXPORT HRESULT WINAPI HcsModifyProcess(void *process, const wchar_t *settings, wchar_t **result) { (void)result; return tell_process(process, settings, L"\"Operation\""); }

/* --- layers and networks -------------------------------------------------------------------------------------------- */

typedef struct { INT32 flavour; const wchar_t *home; } DriverInfo;
typedef struct { GUID id; UINT32 flags; const wchar_t *path; } Descriptor;
_Static_assert(sizeof(DriverInfo) == 16 && sizeof(Descriptor) == 32, "as 64-bit clients pass them");

static int is_filter(const DriverInfo *info) { return info && info->flavour == 1 && info->home && !info->home[0]; }

EXPORT HRESULT WINAPI NameToGuid(const wchar_t *name, GUID *id) {
    *id = (GUID){0xbd9c3ef9, 0xf239, 0x59b5, {0xa2, 0x7e, 0x15, 0xc5, 0x23, 0xb1, 0xd1, (BYTE)wcslen(name)}};
    return S_OK;
}

EXPORT HRESULT WINAPI CreateSandboxLayer(const DriverInfo *info, const wchar_t *id, UINT_PTR parent, const Descriptor *list, UINT_PTR count) {
    if (!is_filter(info) || !id[0] || parent || count != 2) return E_INVALIDARG;
    for (UINT_PTR i = 0; i < count; ++i) {
        if (list[i].id.Data1 != 0xbd9c3ef9 || list[i].id.Data4[7] != i + 1 || list[i].flags) return E_INVALIDARG;
        if (wcsstr(list[i].path, L"missing")) return HRESULT_FROM_WIN32(ERROR_PATH_NOT_FOUND);
    }
    return S_OK;
}

EXPORT HRESULT WINAPI LayerExists(const DriverInfo *info, const wchar_t *id, UINT32 *exists) {
    *exists = is_filter(info) && !wcsstr(id, L"missing");
    return S_OK;
}

EXPORT HRESULT WINAPI GetLayerMountPath(const DriverInfo *info, const wchar_t *id, UINT_PTR *length, wchar_t *buffer) {
    static const wchar_t path[] = L"\\\\?\\Volume{bd9c3ef9-f239-59b5-a27e-15c523b1d149}";
    UINT_PTR needed = sizeof path / sizeof *path;
    if (!is_filter(info)) return E_INVALIDARG;
    if (wcsstr(id, L"endless")) { *length = (UINT_PTR)1 << 40; return S_OK; }
    if (buffer && *length < needed) return HRESULT_FROM_WIN32(ERROR_INSUFFICIENT_BUFFER);
    *length = needed;
    if (buffer) memcpy(buffer, path, sizeof path);
    return S_OK;
}

/* A layer that is named so is refused so. */
static HRESULT about_layer(const DriverInfo *info, const wchar_t *id) {
    if (!is_filter(info) || !id[0]) return E_INVALIDARG;
    if (wcsstr(id, L"denied")) return HRESULT_FROM_WIN32(ERROR_PRIVILEGE_NOT_HELD);
    if (wcsstr(id, L"missing")) return HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);
    if (wcsstr(id, L"busy")) return HRESULT_FROM_WIN32(ERROR_SHARING_VIOLATION);
    return S_OK;
}

EXPORT HRESULT WINAPI ActivateLayer(const DriverInfo *info, const wchar_t *id) { return about_layer(info, id); }
EXPORT HRESULT WINAPI DeactivateLayer(const DriverInfo *info, const wchar_t *id) { return about_layer(info, id); }
EXPORT HRESULT WINAPI UnprepareLayer(const DriverInfo *info, const wchar_t *id) { return about_layer(info, id); }
EXPORT HRESULT WINAPI DestroyLayer(const DriverInfo *info, const wchar_t *id) { return about_layer(info, id); }
EXPORT HRESULT WINAPI ExpandSandboxSize(const DriverInfo *info, const wchar_t *id, UINT64 bytes) { return bytes == 0x123456789 ? about_layer(info, id) : E_INVALIDARG; }
EXPORT HRESULT WINAPI ProcessBaseImage(const wchar_t *path) { return wcsstr(path, L"missing") ? HRESULT_FROM_WIN32(ERROR_PATH_NOT_FOUND) : S_OK; }

static HRESULT carried(const DriverInfo *info, const wchar_t *id, const wchar_t *folder, const Descriptor *list, UINT_PTR count) {
    if (!count || !list || wcscmp(folder, L"C:\\folder")) return E_INVALIDARG;
    return about_layer(info, id);
}

EXPORT HRESULT WINAPI ImportLayer(const DriverInfo *info, const wchar_t *id, const wchar_t *folder, const Descriptor *list, UINT_PTR count) { return carried(info, id, folder, list, count); }
EXPORT HRESULT WINAPI ExportLayer(const DriverInfo *info, const wchar_t *id, const wchar_t *folder, const Descriptor *list, UINT_PTR count) { return carried(info, id, folder, list, count); }

/* As on build 17763: two at once are one too many. */
EXPORT HRESULT WINAPI PrepareLayer(const DriverInfo *info, const wchar_t *id, const Descriptor *list, UINT_PTR count) {
    static LONG running;
    if (!count || !list) return E_INVALIDARG;
    HRESULT answer = InterlockedIncrement(&running) > 1 ? HRESULT_FROM_WIN32(ERROR_DEVICE_NOT_CONNECTED) : about_layer(info, id);
    for (int i = 0; i < 200; ++i) SwitchToThread(); /* time for others to come in */
    InterlockedDecrement(&running);
    return answer;
}

#define NETWORK L"{\"ID\":\"BD9C3EF9-F239-59B5-A27E-15C523B1D149\",\"Name\":\"nat\",\"Type\":\"NAT\"}"

/* One network, no endpoints; what is asked of objects in the language of an old host has no code. */
EXPORT HRESULT WINAPI HNSCall(const wchar_t *method, const wchar_t *path, const wchar_t *request, wchar_t **response) {
    if (!wcscmp(method, L"POST") && !wcscmp(request, L"{}")) return HRESULT_FROM_WIN32(ERROR_SERVICE_NOT_ACTIVE);
    /* The service does not run; it does not yet; it goes away in the middle of the call. */
    if (asks_for(request, L"stopped")) return HRESULT_FROM_WIN32(ERROR_SERVICE_NOT_ACTIVE);
    if (asks_for(request, L"starting")) return HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE);
    if (asks_for(request, L"restarted")) return HRESULT_FROM_WIN32(RPC_S_CALL_FAILED);
    if (!wcscmp(method, L"POST") && asks_for(request, L"taken")) give(response, L"{\"Success\":false,\"Error\":\"x \",\"ErrorCode\":2151350288}");
    else if (!wcscmp(method, L"POST") && asks_for(request, L"\"nat\"")) give(response, L"{\"Success\":true,\"Output\":" NETWORK L"}");
    else if (!wcscmp(method, L"POST") || !wcscmp(method, L"DELETE")) give(response, L"{\"Success\":false,\"Error\":\"Objektbezeichner stellt kein g\u00fcltiges Objekt dar. \"}");
    else if (!wcscmp(path, L"/networks/")) give(response, L"{\"Success\":true,\"Output\":[" NETWORK L"]}");
    else if (!wcscmp(path, L"/endpoints/")) give(response, L"{\"Success\":true,\"Output\":null}");
    else give(response, request[0] ? request : path);
    return S_OK;
}

/* --- for the tests --------------------------------------------------------------------------------------------------- */

EXPORT void WINAPI StandInCounters(Counters *out) {
    AcquireSRWLockExclusive(&lock);
    AcquireSRWLockExclusive(&strings_lock);
    *out = counters;
    ReleaseSRWLockExclusive(&strings_lock);
    ReleaseSRWLockExclusive(&lock);
}

/* Calls every callback that is registered so many times, each from a thread of its own. */
EXPORT void WINAPI StandInStorm(UINT32 times) {
    AcquireSRWLockExclusive(&lock);
    for (int i = 0; i < used; ++i)
        if (slots[i].kind == KIND_CALLBACK && slots[i].open) post_to(i, 0x100, times, S_OK, L"{\"Progress\":1}");
    ReleaseSRWLockExclusive(&lock);
}

/* Calls the callback that was unregistered last once more: what a DLL must not do. */
EXPORT void WINAPI StandInLate(void) {
    wchar_t *data = copy_of(L"{\"Late\":true}");
    if (last_function) last_function(0x1, last_context, S_OK, data);
    forget(data);
}
