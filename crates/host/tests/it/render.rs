//! Renderings, to the letter where a screenshot or a thread shows them.

use wcow_host::codes::{self, hcn, v1, win32};
use wcow_host::era::{self, Generation};
use wcow_host::render::{self, CommandLine, Subject};
use wcow_host::{HostError, Operation, SwitchType};

use crate::support::{core, nano_tp3};

#[track_caller]
fn check(error: &HostError, typed: &str, subject: Option<&Subject<'_>>, expected: &str) {
    let typed = CommandLine {
        typed: typed.to_owned(),
    };
    assert_eq!(render::powershell(error, &typed, subject), expected);
    assert_eq!(
        render::answer(error, &nano_tp3(), &typed, subject),
        expected
    );
}

#[test]
fn new_netnat_is_not_recognized() {
    let record = era::cmdlet(&[""; 0], "New-NetNat").unwrap_err();
    check(
        &HostError::powershell(Operation::NewNat, "ContainerNAT", record),
        "New-NetNat -Name ContainerNAT -InternalIPInterfaceAddressPrefix 172.16.0.0/12",
        None,
        "\
New-NetNat : The term 'New-NetNat' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.
At line:1 char:1
+ New-NetNat -Name ContainerNAT -InternalIPInterfaceAddressPrefix 172.16.0.0/12
+ ~~~~~~~~~~
    + CategoryInfo          : ObjectNotFound: (New-NetNat:String) [], CommandNotFoundException
    + FullyQualifiedErrorId : CommandNotFoundException
",
    );
}

#[test]
fn new_vmswitch_finds_no_matching_element() {
    let record =
        era::new_switch(&nano_tp3(), &["Hyper-V".to_owned()], SwitchType::External).unwrap_err();
    check(
        &HostError::powershell(Operation::NewSwitch, "Virtual Switch", record),
        "New-VmSwitch 'Virtual Switch' -NetAdapterName $netAdapter.Name",
        None,
        "\
New-VmSwitch : Sequence contains no matching element
At line:1 char:1
+ New-VmSwitch 'Virtual Switch' -NetAdapterName $netAdapter.Name
+ ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
    + CategoryInfo          : InvalidOperation: (:) [New-VMSwitch], VirtualizationException
    + FullyQualifiedErrorId : InvalidOperation,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch
",
    );
}

#[test]
fn new_container_before_the_restart() {
    let subject = Subject {
        container_name: "MyFirstContainer",
        container_id: "b2a2d9d5-6bcf-4d0c-a5c5-bdb79111baa8",
    };
    check(
        &HostError::new(Operation::CreateScratch, subject.container_id, codes::UNEXPECTED),
        "New-Container -Name 'MyFirstContainer' -ContainerImageName 'WindowsServerCore'",
        Some(&subject),
        "\
New-Container : Failed to create a new virtual machine.
'MyFirstContainer' failed to realize.
Failed to create storage for container 'MyFirstContainer': Catastrophic failure (0x8000FFFF).
Failed to create a new virtual machine.
'MyFirstContainer' failed to realize. (Container ID B2A2D9D5-6BCF-4D0C-A5C5-BDB79111BAA8)
Failed to create storage for container 'MyFirstContainer': Catastrophic failure (0x8000FFFF). (Container ID B2A2D9D5-6BCF-4D0C-A5C5-BDB79111BAA8)
    + CategoryInfo          : NotSpecified: (:) [New-Container], VirtualizationException
    + FullyQualifiedErrorId : OperationFailed,Microsoft.Containers.PowerShell.Cmdlets.NewContainer
",
    );
}

#[test]
fn start_container_with_an_image_of_another_edition() {
    let subject = Subject {
        container_name: "MyFirstContainer",
        container_id: "00EFA81E-DEA4-4E25-9614-65D2ABA23274",
    };
    check(
        &HostError::new(Operation::StartSystem, subject.container_id, win32::IMAGE_MACHINE_TYPE_MISMATCH),
        "Start-Container -Name 'MyFirstContainer'",
        Some(&subject),
        "\
Start-Container : 'MyFirstContainer' failed to start.
'MyFirstContainer' failed to initialize: {Machine Type Mismatch} The image file %hs is valid, but is for a machine type other than the current machine. Select OK to continue, or CANCEL to fail the DLL load. (0x800702C2).
'MyFirstContainer' failed to start. (Container ID 00EFA81E-DEA4-4E25-9614-65D2ABA23274)
'MyFirstContainer' failed to initialize: {Machine Type Mismatch} The image file %hs is valid, but is for a machine type other than the current machine. Select OK to continue, or CANCEL to fail the DLL load. (0x800702C2). (Container ID 00EFA81E-DEA4-4E25-9614-65D2ABA23274)
    + CategoryInfo          : NotSpecified: (:) [Start-Container], VirtualizationException
    + FullyQualifiedErrorId : OperationFailed,Microsoft.Containers.PowerShell.Cmdlets.StartContainer
",
    );
}

#[test]
fn a_start_that_timed_out() {
    let subject = Subject {
        container_name: "test2",
        container_id: "00efa81e-dea4-4e25-9614-65d2aba23274",
    };
    check(
        &HostError::new(Operation::StartSystem, "x", win32::TIMEOUT),
        "start-container test2",
        Some(&subject),
        "\
start-container : 'test2' failed to start: This operation returned because the timeout period expired. (0x800705B4).
'test2' failed to start: This operation returned because the timeout period expired. (0x800705B4). (Container ID 00EFA81E-DEA4-4E25-9614-65D2ABA23274)
    + CategoryInfo          : OperationTimeout: (:) [Start-Container], VirtualizationException
    + FullyQualifiedErrorId : OperationTimeout,Microsoft.Containers.PowerShell.Cmdlets.StartContainer
",
    );
}

#[test]
fn an_error_of_a_management_provider() {
    let prefix = "172.16.0.0/12".parse().unwrap();
    let record = era::new_nat(&core(14300), &["NetNat".to_owned()], &[prefix], prefix).unwrap_err();
    let error = HostError::powershell(Operation::NewNat, "nat", record);
    check(
        &error,
        "",
        None,
        "\
New-NetNat : The parameter is incorrect.
    + CategoryInfo          : InvalidArgument: (MSFT_NetNat:root/StandardCimv2/MSFT_NetNat) [New-NetNat], CimException
    + FullyQualifiedErrorId : Windows System Error 87,New-NetNat
",
    );
    let typed = CommandLine {
        typed: "New-NetNat".to_owned(),
    };
    let on_new = render::answer(&error, &core(20348), &typed, None);
    assert!(
        on_new.starts_with("New-NetNat : The parameter is incorrect.\nAt line:1 char:1\n"),
        "{on_new}"
    );
}

#[test]
fn a_parameter_that_is_gone_is_underlined() {
    let record =
        era::new_switch(&core(20348), &["Hyper-V".to_owned()], SwitchType::Nat).unwrap_err();
    check(
        &HostError::powershell(Operation::NewSwitch, "s", record),
        "New-VMSwitch s -SwitchType NAT -NATSubnetAddress 172.16.0.0/12",
        None,
        "\
New-VMSwitch : A parameter cannot be found that matches parameter name 'NATSubnetAddress'.
At line:1 char:32
+ New-VMSwitch s -SwitchType NAT -NATSubnetAddress 172.16.0.0/12
+                                ~~~~~~~~~~~~~~~~~
    + CategoryInfo          : InvalidArgument: (:) [New-VMSwitch], ParameterBindingException
    + FullyQualifiedErrorId : NamedParameterNotFound,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch
",
    );
}

#[test]
fn whatever_is_typed_and_wherever_it_fails_something_is_said() {
    let lines = [
        "",
        " ",
        "=;|(){}",
        "New-Container",
        "$c = New-Container x | Start-Container",
        "Ünï 'cödé",
        "\u{130}\u{212A}",
    ];
    for operation in Operation::ALL {
        for line in lines {
            let typed = CommandLine {
                typed: line.to_owned(),
            };
            for build in [10514, 10586, 14300, 14393, 17134, 17763, 20348, 26100] {
                for error in [
                    HostError::new(*operation, "it", win32::PATH_NOT_FOUND),
                    HostError::new(*operation, "it", wcow_ntmeta::Hresult(0x1234_5678)),
                    HostError::powershell(*operation, "it", era::adapter_in_use("Ethernet")),
                    HostError::powershell(
                        *operation,
                        "it",
                        era::cmdlet(&[""; 0], "New-NetNat").unwrap_err(),
                    ),
                ] {
                    let text = render::answer(&error, &core(build), &typed, None);
                    assert!(
                        text.ends_with('\n') && text.len() > 10,
                        "{operation:?} {line:?}: {text:?}"
                    );
                }
            }
        }
    }
}

#[track_caller]
fn check_client(
    operation: Operation,
    code: wcow_ntmeta::Hresult,
    generation: Generation,
    expected: &str,
) {
    let error = HostError::new(operation, "web", code);
    assert_eq!(render::hcs(&error, generation), expected);
}

#[test]
fn a_mismatch_as_clients_of_each_time_show_it() {
    let create = Operation::CreateSystem;
    check_client(
        create,
        v1::IMAGE_MISMATCH,
        Generation::Server2016,
        "container web encountered an error during CreateContainer: failure in a Windows system call: The operating system of the container does not match the operating system of the host. (0xc0370101)",
    );
    check_client(
        create,
        v1::IMAGE_MISMATCH,
        Generation::Server2022,
        "hcsshim::CreateComputeSystem web: The container operating system does not match the host operating system.",
    );
    check_client(
        create,
        v1::IMAGE_MISMATCH,
        Generation::Server2025,
        "hcs::CreateComputeSystem web: The container operating system does not match the host operating system.",
    );
}

#[test]
fn other_calls_as_clients_show_them() {
    check_client(
        Operation::CreateSystem,
        win32::DUP_NAME,
        Generation::TechnicalPreview4,
        "HCSShim::CreateComputeSystem - Win32 API call returned error r1=2147942452 err=You were not connected because a duplicate name exists on the network. If joining a domain, go to System in Control Panel to change the computer name and try again. If joining a workgroup, choose another workgroup name.",
    );
    check_client(
        Operation::ActivateLayer,
        win32::SHARING_VIOLATION,
        Generation::Server2022,
        "hcsshim::ActivateLayer failed in Win32: The process cannot access the file because it is being used by another process. (0x20)",
    );
    check_client(
        Operation::PrepareLayer,
        win32::INVALID_FUNCTION,
        Generation::Server2019,
        "hcsshim::PrepareLayer - failed failed in Win32: Incorrect function. (0x1)",
    );
    check_client(
        Operation::CreateNetwork,
        win32::INVALID_PARAMETER,
        Generation::Server2016,
        "HNS failed with error : The parameter is incorrect.",
    );
    check_client(
        Operation::CreateNetwork,
        hcn::ADAPTER_NOT_FOUND,
        Generation::Server2022,
        "failed during hnsCallRawResponse: hnsCall failed in Win32: An adapter was not found. (0x803b0006)",
    );
    check_client(
        Operation::StartSystem,
        v1::UNEXPECTED_EXIT,
        Generation::Server2022,
        "hcs::System::Start web: The virtual machine or container exited unexpectedly.",
    );
    check_client(
        Operation::PauseSystem,
        v1::INVALID_STATE,
        Generation::Server2022,
        "hcs::System::Pause web: The requested virtual machine or container operation is not valid in the current state.",
    );
}
