// Package iface declares the values in which Temporal's server describes workers
// that it would start itself. Here they are only shapes: nothing reads them.
package iface

import (
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
)

// The names of a place where workers run, of a way to scale them, and of the
// answer that a check of both gave.
type (
	ComputeProviderType  string
	ScalingAlgorithmType string
	ValidationResult     string
)

// ValidationResultFailed says that a check found a fault.
const ValidationResultFailed ValidationResult = "failed"

// A WorkerControllerInstanceSpec holds groups of workers by name.
type WorkerControllerInstanceSpec struct {
	ScalingGroupSpecs map[string]ScalingGroupSpec
}

// A ScalingGroupSpec is one group: what it works on, where, and how many.
type ScalingGroupSpec struct {
	TaskTypes []enumspb.TaskQueueType
	Compute   ComputeProviderSpec
	Scaling   *ScalingAlgorithmSpec
}

// A ComputeProviderSpec says where a group runs.
type ComputeProviderSpec struct {
	ProviderType  ComputeProviderType
	Config        *commonpb.Payload
	NexusEndpoint string
}

// A ScalingAlgorithmSpec says how a group grows and shrinks.
type ScalingAlgorithmSpec struct {
	ScalingAlgorithm ScalingAlgorithmType
	Config           *commonpb.Payload
}

// A ScalingGroupSpecUpdate changes the fields of a group that its mask names.
type ScalingGroupSpecUpdate struct {
	Spec       ScalingGroupSpec
	UpdateMask []string
}

// A ValidationStatus is the outcome of the last check of a group.
type ValidationStatus struct {
	Status             ValidationResult
	ErrMessage         string
	LastValidationTime time.Time
}

// A QueryDescribeWorkerControllerInstanceResponse describes all groups, and how
// their last check went.
type QueryDescribeWorkerControllerInstanceResponse struct {
	Spec             *WorkerControllerInstanceSpec
	ValidationStatus *ValidationStatus
}

// An UpdateWorkerControllerInstanceResponse holds the groups after a change.
type UpdateWorkerControllerInstanceResponse struct {
	Spec *WorkerControllerInstanceSpec
}
