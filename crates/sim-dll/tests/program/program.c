/*
 * A program for the Host Compute Service, written from its public interface alone: a container of the first generation and one of the
 * second, programs in them, notifications, and then many lives of containers, after which nothing may be left.
 *
 * It looks every function up in System32, as programs do that also run where there is no such DLL. Its last line says what it did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>
#include <objbase.h>

typedef struct { UINT32 process_id, reserved; HANDLE input, output, error; } ProcessInformation;
typedef struct { INT32 flavour; const wchar_t *home; } DriverInfo;
typedef struct { GUID id; UINT32 flags; const wchar_t *path; } Descriptor;
typedef struct { INT32 type; const wchar_t *data; void *operation; } Event;
typedef struct {
    UINT64 systems, processes, operations, callbacks, networks, bad_handles, strings, live_strings, calls, streams;
} Counters;
typedef void(WINAPI *Notified)(UINT32 type, void *context, HRESULT status, const wchar_t *data);
typedef void(WINAPI *Happened)(const Event *event, void *context);

#define FUNCTIONS(F)                                                                                                                \
    F(v1, HRESULT, HcsCreateComputeSystem, (const wchar_t *, const wchar_t *, HANDLE, void **, wchar_t **))                          \
    F(v1, HRESULT, HcsOpenComputeSystem, (const wchar_t *, void **, wchar_t **))                                                     \
    F(v1, HRESULT, HcsStartComputeSystem, (void *, const wchar_t *, wchar_t **))                                                     \
    F(v1, HRESULT, HcsTerminateComputeSystem, (void *, const wchar_t *, wchar_t **))                                                 \
    F(v1, HRESULT, HcsCloseComputeSystem, (void *))                                                                                  \
    F(v1, HRESULT, HcsGetComputeSystemProperties, (void *, const wchar_t *, wchar_t **, wchar_t **))                                 \
    F(v1, HRESULT, HcsRegisterComputeSystemCallback, (void *, Notified, void *, void **))                                            \
    F(v1, HRESULT, HcsUnregisterComputeSystemCallback, (void *))                                                                     \
    F(v1, HRESULT, HcsCreateProcess, (void *, const wchar_t *, ProcessInformation *, void **, wchar_t **))                           \
    F(v1, HRESULT, HcsCloseProcess, (void *))                                                                                        \
    F(v1, HRESULT, HNSCall, (const wchar_t *, const wchar_t *, const wchar_t *, wchar_t **))                                         \
    F(v1, HRESULT, CreateSandboxLayer, (const DriverInfo *, const wchar_t *, UINT_PTR, const Descriptor *, UINT_PTR))                \
    F(v1, HRESULT, ActivateLayer, (const DriverInfo *, const wchar_t *))                                                             \
    F(v1, HRESULT, PrepareLayer, (const DriverInfo *, const wchar_t *, const Descriptor *, UINT_PTR))                                \
    F(v1, HRESULT, GetLayerMountPath, (const DriverInfo *, const wchar_t *, UINT_PTR *, wchar_t *))                                  \
    F(v1, HRESULT, UnprepareLayer, (const DriverInfo *, const wchar_t *))                                                            \
    F(v1, HRESULT, DeactivateLayer, (const DriverInfo *, const wchar_t *))                                                           \
    F(v1, HRESULT, DestroyLayer, (const DriverInfo *, const wchar_t *))                                                              \
    F(v1, HRESULT, WcowSimDescribe, (wchar_t **))                                                                                    \
    F(v1, HRESULT, WcowSimCount, (Counters *))                                                                                       \
    F(v2, void *, HcsCreateOperation, (void *, void *))                                                                              \
    F(v2, void, HcsCloseOperation, (void *))                                                                                         \
    F(v2, HRESULT, HcsWaitForOperationResult, (void *, DWORD, wchar_t **))                                                           \
    F(v2, HRESULT, HcsWaitForOperationResultAndProcessInfo, (void *, DWORD, ProcessInformation *, wchar_t **))                       \
    F(v2, HRESULT, HcsCreateComputeSystem, (const wchar_t *, const wchar_t *, void *, void *, void **))                              \
    F(v2, HRESULT, HcsStartComputeSystem, (void *, void *, const wchar_t *))                                                         \
    F(v2, HRESULT, HcsTerminateComputeSystem, (void *, void *, const wchar_t *))                                                     \
    F(v2, void, HcsCloseComputeSystem, (void *))                                                                                     \
    F(v2, HRESULT, HcsSetComputeSystemCallback, (void *, INT32, void *, Happened))                                                   \
    F(v2, HRESULT, HcsEnumerateComputeSystems, (const wchar_t *, void *))                                                            \
    F(v2, HRESULT, HcsCreateProcess, (void *, const wchar_t *, void *, void *, void **))                                             \
    F(v2, void, HcsCloseProcess, (void *))                                                                                           \
    F(v2, HRESULT, HcsWaitForProcessExit, (void *, DWORD, wchar_t **))

#define DECLARE(dll, returns, name, parameters) static returns(WINAPI *dll##_##name) parameters;
FUNCTIONS(DECLARE)

static void fail(int line, const char *what, HRESULT code) {
    printf("line %d: %s gave 0x%08lX\n", line, what, (unsigned long)code);
    exit(1);
}

#define MUST(call) do { HRESULT code_ = (call); if (FAILED(code_)) fail(__LINE__, #call, code_); } while (0)
#define GIVES(wanted, call) do { HRESULT code_ = (call); if (code_ != (HRESULT)(wanted)) fail(__LINE__, #call, code_); } while (0)
#define HOLDS(condition) do { if (!(condition)) fail(__LINE__, #condition, E_FAIL); } while (0)

static void *find(HMODULE dll, const char *name) {
    void *found = (void *)GetProcAddress(dll, name);
    if (!found) fail(__LINE__, name, HRESULT_FROM_WIN32(GetLastError()));
    return found;
}

static void load(void) {
    HMODULE v1 = LoadLibraryExW(L"vmcompute.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    HMODULE v2 = LoadLibraryExW(L"computecore.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    HOLDS(v1 && v2);
#define LOOK_UP(dll, returns, name, parameters) *(void **)&dll##_##name = find(dll, #name);
    FUNCTIONS(LOOK_UP)
}

/* --- what the world is -------------------------------------------------------------------------------------------- */

static wchar_t image[512], image_id[64], scratch_root[512];
static GUID image_guid;

/* The value of a key of a flat document; backslashes come in pairs. */
static void value_of(const wchar_t *document, const wchar_t *key, wchar_t *place, size_t room) {
    wchar_t quoted[64];
    swprintf(quoted, 64, L"\"%ls\":\"", key);
    const wchar_t *from = wcsstr(document, quoted);
    HOLDS(from);
    size_t length = 0;
    for (from += wcslen(quoted); *from != L'"'; ++from) {
        if (*from == L'\\') ++from;
        HOLDS(*from && length + 1 < room);
        place[length++] = *from;
    }
    place[length] = 0;
}

static void look_at_world(void) {
    wchar_t *told = NULL, braced[64];
    MUST(v1_WcowSimDescribe(&told));
    value_of(told, L"Image", image, 512);
    value_of(told, L"ImageId", image_id, 64);
    value_of(told, L"ScratchRoot", scratch_root, 512);
    CoTaskMemFree(told);
    swprintf(braced, 64, L"{%ls}", image_id);
    MUST(CLSIDFromString(braced, &image_guid));
}

/* Text as JSON has it. */
static void escape(wchar_t *place, const wchar_t *text) {
    for (; *text; ++text) {
        if (*text == L'\\') *place++ = L'\\';
        *place++ = *text;
    }
    *place = 0;
}

/* --- layers ------------------------------------------------------------------------------------------------------- */

static const DriverInfo driver = {1, L""};

typedef struct { wchar_t path[600], volume[256]; } Layer;

static void make_layer(Layer *layer, const wchar_t *id) {
    Descriptor parent = {image_guid, 0, image};
    UINT_PTR length = 0;
    swprintf(layer->path, 600, L"%ls\\%ls", scratch_root, id);
    MUST(v1_CreateSandboxLayer(&driver, layer->path, 0, &parent, 1));
    MUST(v1_ActivateLayer(&driver, layer->path));
    MUST(v1_PrepareLayer(&driver, layer->path, &parent, 1));
    MUST(v1_GetLayerMountPath(&driver, layer->path, &length, NULL));
    HOLDS(length < 256);
    MUST(v1_GetLayerMountPath(&driver, layer->path, &length, layer->volume));
}

static void remove_layer(Layer *layer) {
    MUST(v1_UnprepareLayer(&driver, layer->path));
    MUST(v1_DeactivateLayer(&driver, layer->path));
    MUST(v1_DestroyLayer(&driver, layer->path));
}

/* --- the first generation ------------------------------------------------------------------------------------------ */

typedef struct { HANDLE created, started, exited; DWORD thread; HRESULT status; } Heard;

static void WINAPI notified(UINT32 type, void *context, HRESULT status, const wchar_t *data) {
    Heard *heard = context;
    heard->thread = GetCurrentThreadId();
    heard->status = status;
    if (type == 0x2) SetEvent(heard->created);
    if (type == 0x3) SetEvent(heard->started);
    if (type == 0x1 && data && wcsstr(data, L"ExitType")) SetEvent(heard->exited);
}

static void await(HANDLE event) { HOLDS(WaitForSingleObject(event, 240000) == WAIT_OBJECT_0); }

/* Reads a stream to its end. */
static void drain(HANDLE stream, const char *wanted) {
    char text[256];
    DWORD length = 0, count;
    OVERLAPPED at = {0};
    at.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    HOLDS(stream && at.hEvent);
    for (;;) {
        /* The service opens streams for overlapped use. */
        if (!ReadFile(stream, text + length, sizeof text - 1 - length, NULL, &at) && GetLastError() != ERROR_IO_PENDING) break;
        if (!GetOverlappedResult(stream, &at, &count, TRUE) || !count) break;
        length += count;
    }
    text[length] = 0;
    HOLDS(!strcmp(text, wanted));
    CloseHandle(at.hEvent);
    CloseHandle(stream);
}

static void live_once(const wchar_t *id) {
    static wchar_t document[4096], path[1200], image_path[1100], volume[512];
    Layer layer;
    Heard heard = {CreateEventW(NULL, FALSE, FALSE, NULL), CreateEventW(NULL, FALSE, FALSE, NULL), CreateEventW(NULL, FALSE, FALSE, NULL), 0, 0};
    void *system = NULL, *callback = NULL, *process = NULL;
    wchar_t *text = NULL;
    ProcessInformation info;
    make_layer(&layer, id);
    escape(path, layer.path), escape(image_path, image), escape(volume, layer.volume);
    swprintf(document, 4096,
             L"{\"SystemType\":\"Container\",\"Name\":\"%ls\",\"Owner\":\"program\",\"VolumePath\":\"%ls\",\"LayerFolderPath\":\"%ls\","
             L"\"Layers\":[{\"ID\":\"%ls\",\"Path\":\"%ls\"}]}",
             id, volume, path, image_id, image_path);
    HRESULT code = v1_HcsCreateComputeSystem(id, document, NULL, &system, &text);
    if (code != (HRESULT)0xC0370103) {
        if (text) printf("%ls\n", text);
        fail(__LINE__, "HcsCreateComputeSystem", code);
    }
    MUST(v1_HcsRegisterComputeSystemCallback(system, notified, &heard, &callback));
    await(heard.created);
    HOLDS(heard.thread != GetCurrentThreadId() && heard.status == S_OK);
    MUST(v1_HcsGetComputeSystemProperties(system, L"{}", &text, NULL));
    HOLDS(text && wcsstr(text, id));
    CoTaskMemFree(text);
    text = NULL;
    GIVES(0xC0370103, v1_HcsStartComputeSystem(system, L"", NULL));
    await(heard.started);
    HOLDS(heard.status == S_OK);
    GIVES(0xC0370105, v1_HcsStartComputeSystem(system, L"", &text));
    HOLDS(text && wcsstr(text, L"-1070137083"));
    CoTaskMemFree(text);
    MUST(v1_HcsCreateProcess(system, L"{\"CommandLine\":\"cmd /c echo hello\",\"CreateStdOutPipe\":true}", &info, &process, NULL));
    HOLDS(!info.input && !info.error);
    drain(info.output, "hello\r\n");
    MUST(v1_HcsCloseProcess(process));
    GIVES(0xC0370103, v1_HcsTerminateComputeSystem(system, L"", NULL));
    await(heard.exited);
    MUST(v1_HcsUnregisterComputeSystemCallback(callback));
    MUST(v1_HcsCloseComputeSystem(system));
    remove_layer(&layer);
    CloseHandle(heard.created), CloseHandle(heard.started), CloseHandle(heard.exited);
}

/* --- the second generation ----------------------------------------------------------------------------------------- */

static void ended(void *operation) {
    wchar_t *text = NULL;
    HRESULT code = v2_HcsWaitForOperationResult(operation, 240000, &text);
    if (FAILED(code)) {
        if (text) printf("%ls\n", text);
        fail(__LINE__, "an operation", code);
    }
    LocalFree(text);
}

static void WINAPI happened(const Event *event, void *context) {
    if (event->type == 1 && event->data) SetEvent(context);
}

static void live_twice(const wchar_t *id) {
    static wchar_t document[4096], image_path[1100], volume[512];
    Layer layer;
    void *operation = v2_HcsCreateOperation(NULL, NULL), *system = NULL, *process = NULL;
    HANDLE exited = CreateEventW(NULL, FALSE, FALSE, NULL);
    ProcessInformation info;
    wchar_t *text = NULL;
    HOLDS(operation && exited);
    make_layer(&layer, id);
    escape(image_path, image), escape(volume, layer.volume);
    swprintf(document, 4096,
             L"{\"Owner\":\"program\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"Container\":{\"Storage\":"
             L"{\"Layers\":[{\"Id\":\"%ls\",\"Path\":\"%ls\"}],\"Path\":\"%ls\\\\\"}}}",
             image_id, image_path, volume);
    GIVES(0x80370115, v2_HcsWaitForOperationResult(operation, 0, NULL));
    MUST(v2_HcsCreateComputeSystem(id, document, operation, NULL, &system));
    ended(operation);
    MUST(v2_HcsSetComputeSystemCallback(system, 0, exited, happened));
    GIVES(0x80370119, v2_HcsSetComputeSystemCallback(system, 0, exited, happened));
    MUST(v2_HcsStartComputeSystem(system, operation, NULL));
    ended(operation);
    MUST(v2_HcsEnumerateComputeSystems(NULL, operation));
    MUST(v2_HcsWaitForOperationResult(operation, 240000, &text));
    HOLDS(text && wcsstr(text, id));
    LocalFree(text);
    MUST(v2_HcsCreateProcess(system, L"{\"CommandLine\":\"cmd /c echo again\",\"CreateStdOutPipe\":true}", operation, NULL, &process));
    MUST(v2_HcsWaitForOperationResultAndProcessInfo(operation, 240000, &info, NULL));
    drain(info.output, "again\r\n");
    MUST(v2_HcsWaitForProcessExit(process, 240000, &text));
    HOLDS(text && wcsstr(text, L"\"ExitCode\":0"));
    LocalFree(text);
    v2_HcsCloseProcess(process);
    MUST(v2_HcsTerminateComputeSystem(system, operation, NULL));
    ended(operation);
    await(exited);
    v2_HcsCloseComputeSystem(system);
    v2_HcsCloseOperation(operation);
    remove_layer(&layer);
    CloseHandle(exited);
}

/* --- all of it ----------------------------------------------------------------------------------------------------- */

int main(int count, char **arguments) {
    int cycles = count > 1 ? atoi(arguments[1]) : 1;
    wchar_t id[64], *text = NULL;
    void *system = NULL;
    Counters before, after;
    load();
    look_at_world();
    MUST(v1_WcowSimCount(&before));
    GIVES(0xC037010E, v1_HcsOpenComputeSystem(L"nobody", &system, &text));
    HOLDS(!system && text);
    CoTaskMemFree(text);
    MUST(v1_HNSCall(L"GET", L"/networks/", L"", &text));
    HOLDS(wcsstr(text, L"\"Success\":true"));
    CoTaskMemFree(text);
    for (int i = 0; i < cycles; ++i) {
        swprintf(id, 64, L"first-%d", i);
        live_once(id);
        swprintf(id, 64, L"second-%d", i);
        live_twice(id);
    }
    GIVES(0x80070006, v1_HcsCloseComputeSystem(NULL));
    for (int i = 0; i < 1000; ++i) {
        MUST(v1_WcowSimCount(&after));
        if (!after.streams) break;
        Sleep(10);
    }
    HOLDS(after.systems == before.systems && after.processes == before.processes && after.operations == before.operations);
    HOLDS(after.callbacks == before.callbacks && after.live_strings == before.live_strings && after.streams == 0);
    HOLDS(after.bad_handles == before.bad_handles + 1);
    printf("%d containers of each generation, %lu texts and %lu callbacks, and nothing is left of them\n", cycles,
           (unsigned long)(after.strings - before.strings), (unsigned long)(after.calls - before.calls));
    return 0;
}
