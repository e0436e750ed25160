package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	kustomize "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// A scaledObject is what we use of KEDA's: its API module would bring all of KEDA.
type scaledObject struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            struct {
		ScaleTargetRef struct {
			Name string `json:"name"`
		} `json:"scaleTargetRef"`
		MinReplicaCount *int32 `json:"minReplicaCount"`
		MaxReplicaCount *int32 `json:"maxReplicaCount"`
		PollingInterval *int32 `json:"pollingInterval"`
		CooldownPeriod  *int32 `json:"cooldownPeriod"`
		Advanced        struct {
			HorizontalPodAutoscalerConfig struct {
				Behavior autoscaling.HorizontalPodAutoscalerBehavior `json:"behavior"`
			} `json:"horizontalPodAutoscalerConfig"`
		} `json:"advanced"`
		Triggers []struct {
			Type     string         `json:"type"`
			Metadata temporalScaler `json:"metadata"`
		} `json:"triggers"`
	} `json:"spec"`
}

// A temporalScaler has the parameters of KEDA's Temporal scaler that we use, all of them
// text.
type temporalScaler struct {
	Endpoint                string `json:"endpoint"`
	Namespace               string `json:"namespace"`
	TaskQueue               string `json:"taskQueue"`
	QueueTypes              string `json:"queueTypes"`
	TargetQueueSize         string `json:"targetQueueSize"`
	WorkerDeploymentName    string `json:"workerDeploymentName"`
	WorkerDeploymentBuildID string `json:"workerDeploymentBuildId"`
}

// An externalSecret is what we use of the one of External Secrets.
type externalSecret struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            struct {
		RefreshInterval meta.Duration `json:"refreshInterval"`
		SecretStoreRef  struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"secretStoreRef"`
		Target struct {
			Name           string `json:"name"`
			CreationPolicy string `json:"creationPolicy"`
		} `json:"target"`
		DataFrom []struct {
			Extract struct {
				Key string `json:"key"`
			} `json:"extract"`
		} `json:"dataFrom"`
	} `json:"spec"`
}

// kinds are the types that manifests are decoded into. Any other kind is an error.
var kinds = map[string]reflect.Type{
	"v1 Namespace":                          reflect.TypeFor[core.Namespace](),
	"v1 ServiceAccount":                     reflect.TypeFor[core.ServiceAccount](),
	"v1 ConfigMap":                          reflect.TypeFor[core.ConfigMap](),
	"v1 Service":                            reflect.TypeFor[core.Service](),
	"apps/v1 Deployment":                    reflect.TypeFor[apps.Deployment](),
	"policy/v1 PodDisruptionBudget":         reflect.TypeFor[policy.PodDisruptionBudget](),
	"networking.k8s.io/v1 NetworkPolicy":    reflect.TypeFor[networking.NetworkPolicy](),
	"monitoring.coreos.com/v1 PodMonitor":   reflect.TypeFor[monitoring.PodMonitor](),
	"keda.sh/v1alpha1 ScaledObject":         reflect.TypeFor[scaledObject](),
	"external-secrets.io/v1 ExternalSecret": reflect.TypeFor[externalSecret](),
}

// build makes the manifests of a directory as kubectl apply -k does.
func build(t *testing.T, dir string) resmap.ResMap {
	t.Helper()
	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if all.Size() == 0 {
		t.Fatalf("%s has no manifests", dir)
	}
	return all
}

// decode decodes every manifest strictly: an unknown field, a field twice or a wrong type
// is an error. The result is by kind.
func decode(t *testing.T, all resmap.ResMap) map[string][]any {
	t.Helper()
	decoded := map[string][]any{}
	for _, r := range all.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		into, ok := kinds[r.GetApiVersion()+" "+r.GetKind()]
		if !ok {
			t.Errorf("%s %s is of no known kind", r.GetApiVersion(), r.GetKind())
			continue
		}
		v := reflect.New(into).Interface()
		if err := yaml.UnmarshalStrict(text, v); err != nil {
			t.Errorf("%s %s: %v", r.GetKind(), r.GetName(), err)
			continue
		}
		decoded[r.GetKind()] = append(decoded[r.GetKind()], v)
	}
	return decoded
}

// only returns the only manifest of a kind.
func only[T any](t *testing.T, all map[string][]any, kind string) *T {
	t.Helper()
	if len(all[kind]) != 1 {
		t.Fatalf("%d manifests of kind %s, want 1", len(all[kind]), kind)
	}
	return all[kind][0].(*T)
}

// Files are decoded as they lie there as well: kustomize forgives a field that is there twice.
func TestManifestFilesAreStrict(t *testing.T) {
	files := 0
	err := filepath.WalkDir("k8s", func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		switch d.Name() {
		case "kustomization.yaml":
			return named(file, yaml.UnmarshalStrict(text, &kustomize.Kustomization{}))
		case "names.yaml":
			return named(file, yaml.UnmarshalStrict(text, &struct {
				NameReference []struct {
					Kind, Group string
					FieldSpecs  []struct{ Kind, Path string }
				}
			}{}))
		}
		var of meta.TypeMeta
		if yaml.Unmarshal(text, &of) != nil || of.Kind == "" {
			return nil // a patch, which the build below applies
		}
		into, ok := kinds[of.APIVersion+" "+of.Kind]
		if !ok {
			return fmt.Errorf("%s: %s %s is of no known kind", file, of.APIVersion, of.Kind)
		}
		return named(file, yaml.UnmarshalStrict(text, reflect.New(into).Interface()))
	})
	if err != nil || files == 0 {
		t.Errorf("%d files: %v", files, err)
	}
}

func named(file string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func TestBaseBuilds(t *testing.T) {
	decode(t, build(t, "k8s/base"))
	decode(t, build(t, "k8s/worker"))
}

func TestProduction(t *testing.T) {
	all := decode(t, build(t, "k8s/overlays/production"))
	deployment := only[apps.Deployment](t, all, "Deployment")
	settings := only[core.ConfigMap](t, all, "ConfigMap").Data
	pod := deployment.Spec.Template

	t.Run("pods are as restricted as the namespace demands", func(t *testing.T) { restricted(t, only[core.Namespace](t, all, "Namespace"), pod.Spec) })
	t.Run("a worker that stops has time to hand over", func(t *testing.T) {
		drain, err := time.ParseDuration(settings["HEADGATE_DRAIN"])
		if grace := time.Duration(*pod.Spec.TerminationGracePeriodSeconds) * time.Second; err != nil || grace <= drain {
			t.Errorf("grace %v, drain %v, %v", grace, drain, err)
		}
	})
	t.Run("selectors choose the pods", func(t *testing.T) {
		for what, selector := range map[string]*meta.LabelSelector{
			"Deployment":          deployment.Spec.Selector,
			"PodDisruptionBudget": only[policy.PodDisruptionBudget](t, all, "PodDisruptionBudget").Spec.Selector,
			"NetworkPolicy":       &only[networking.NetworkPolicy](t, all, "NetworkPolicy").Spec.PodSelector,
			"PodMonitor":          &only[monitoring.PodMonitor](t, all, "PodMonitor").Spec.Selector,
			"Service":             {MatchLabels: only[core.Service](t, all, "Service").Spec.Selector},
		} {
			chosen, err := meta.LabelSelectorAsSelector(selector)
			if err != nil || chosen.Empty() || !chosen.Matches(labels.Set(pod.Labels)) {
				t.Errorf("%s chooses by %v (%v), pods have %v", what, selector, err, pod.Labels)
			}
		}
	})
	t.Run("secrets and settings are there by reference", func(t *testing.T) { referenced(t, all, pod.Spec) })
	t.Run("the autoscaler asks about this build's tasks on this Temporal", func(t *testing.T) {
		scales(t, only[scaledObject](t, all, "ScaledObject"), deployment, settings)
	})
	t.Run("a worker reaches DNS, Temporal and the store, and nobody else", func(t *testing.T) {
		reaches(t, only[networking.NetworkPolicy](t, all, "NetworkPolicy").Spec)
	})
}

// restricted checks what Kubernetes calls the restricted profile of pods.
func restricted(t *testing.T, namespace *core.Namespace, spec core.PodSpec) {
	if got := namespace.Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
		t.Errorf("the namespace enforces %q", got)
	}
	s := spec.SecurityContext
	if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 || s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("pod: %+v", s)
	}
	for _, c := range spec.Containers {
		s := c.SecurityContext
		if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
			s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) {
			t.Errorf("container %s: %+v", c.Name, s)
		}
		if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
			t.Errorf("container %s: resources %+v", c.Name, c.Resources)
		}
		if c.ReadinessProbe == nil || c.LivenessProbe == nil || c.StartupProbe == nil {
			t.Errorf("container %s has not all probes", c.Name)
		}
		checkImage(t, c.Image)
	}
	for _, v := range spec.Volumes {
		if v.EmptyDir == nil {
			t.Errorf("volume %s keeps something: a worker has no state", v.Name)
		}
	}
}

// referenced checks that no secret is in the manifests, and that those that are named
// come from somewhere.
func referenced(t *testing.T, all map[string][]any, spec core.PodSpec) {
	secret := only[externalSecret](t, all, "ExternalSecret").Spec.Target.Name
	settings := only[core.ConfigMap](t, all, "ConfigMap").Name
	for _, c := range spec.Containers {
		var secrets, maps []string
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				secrets = append(secrets, from.SecretRef.Name)
			}
			if from.ConfigMapRef != nil {
				maps = append(maps, from.ConfigMapRef.Name)
			}
		}
		if !slices.Equal(secrets, []string{secret}) || !slices.Equal(maps, []string{settings}) {
			t.Errorf("container %s takes secrets %v and settings %v, want %s and %s", c.Name, secrets, maps, secret, settings)
		}
	}
	if only[core.ServiceAccount](t, all, "ServiceAccount").Name != spec.ServiceAccountName {
		t.Errorf("service account %s is not there", spec.ServiceAccountName)
	}
}

func scales(t *testing.T, o *scaledObject, d *apps.Deployment, settings map[string]string) {
	if o.Spec.ScaleTargetRef.Name != d.Name || d.Spec.Replicas != nil {
		t.Errorf("it scales %s; %s has replicas %v", o.Spec.ScaleTargetRef.Name, d.Name, d.Spec.Replicas)
	}
	if *o.Spec.MinReplicaCount < 1 {
		t.Error("without a worker nobody answers a release")
	}
	_, tag, _ := strings.Cut(d.Spec.Template.Spec.Containers[0].Image, ":")
	want := temporalScaler{Endpoint: settings["TEMPORAL_ADDRESS"], Namespace: settings["TEMPORAL_NAMESPACE"], TaskQueue: settings["HEADGATE_TASK_QUEUE"],
		QueueTypes: "workflow,activity", TargetQueueSize: "8", WorkerDeploymentName: settings["HEADGATE_DEPLOYMENT"], WorkerDeploymentBuildID: tag}
	if len(o.Spec.Triggers) != 1 || o.Spec.Triggers[0].Type != "temporal" || o.Spec.Triggers[0].Metadata != want {
		t.Errorf("triggers %+v, want %+v", o.Spec.Triggers, want)
	}
	if d.Labels["headgate/build"] != tag || d.Spec.Template.Labels["headgate/build"] != tag || !strings.HasSuffix(d.Name, "-"+tag) {
		t.Errorf("%s of image tag %s has labels %v", d.Name, tag, d.Labels)
	}
}

func reaches(t *testing.T, spec networking.NetworkPolicySpec) {
	if len(spec.PolicyTypes) != 2 {
		t.Errorf("it is about %v", spec.PolicyTypes)
	}
	var ports []int32
	for _, e := range spec.Egress {
		if len(e.To) == 0 || len(e.Ports) == 0 {
			t.Errorf("egress to everybody or on all ports: %+v", e)
		}
		for _, p := range e.Ports {
			ports = append(ports, p.Port.IntVal)
		}
	}
	if want := []int32{53, 53, 7233, 443}; !slices.Equal(ports, want) {
		t.Errorf("egress on ports %v, want %v", ports, want)
	}
	for _, i := range spec.Ingress {
		if len(i.From) == 0 || len(i.Ports) != 1 || i.Ports[0].Port.StrVal != "health" {
			t.Errorf("ingress %+v", i)
		}
	}
}
