package devserver

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/server/common/authorization"
	servercluster "go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	server "go.temporal.io/server/temporal"
)

// cluster is the name of the only cluster there is.
const cluster = "active"

// newTemporal puts the four services of a Temporal server into this process.
func newTemporal(k keeper, p ports, logger log.Logger) (server.Server, error) {
	byService := map[primitives.ServiceName]int{
		primitives.FrontendService: p.frontend,
		primitives.HistoryService:  p.history,
		primitives.MatchingService: p.matching,
		primitives.WorkerService:   p.worker,
	}
	services := map[string]config.Service{}
	hosts := map[primitives.ServiceName]static.Hosts{}
	for name, port := range byService {
		services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
		hosts[name] = static.SingleLocalHost(net.JoinHostPort(loopback, strconv.Itoa(port)))
	}
	return server.NewServer(
		server.WithConfig(serverConfig(k, services, hosts[primitives.FrontendService].Self)),
		server.WithStaticHosts(hosts),
		server.ForServices(server.DefaultServices),
		server.WithDynamicConfigClient(settings),
		server.WithAuthorizer(authorization.NewNoopAuthorizer()),
		server.WithLogger(logger),
	)
}

func serverConfig(k keeper, services map[string]config.Service, frontend string) *config.Config {
	const disabled = "disabled"
	return &config.Config{
		Services: services,
		Persistence: config.Persistence{
			DefaultStore:     "main",
			VisibilityStore:  "visibility",
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{"main": {SQL: k.main}, "visibility": {SQL: k.visibility}},
		},
		ClusterMetadata: &servercluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        cluster,
			CurrentClusterName:       cluster,
			ClusterInformation: map[string]servercluster.ClusterInformation{
				cluster: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: frontend},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: disabled},
			Visibility: config.VisibilityArchival{State: disabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: disabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: disabled},
		}},
	}
}

// settings are what differs from a server that many teams share.
var settings = dynamicconfig.StaticClient{
	// Search attributes that were just added can be used at once.
	dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
	// One partition hands tasks out strictly by priority.
	dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
	dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
	// Nobody to protect from each other.
	dynamicconfig.FrontendRPS.Key():                                  unlimited,
	dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():           unlimited,
	dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): unlimited,
	dynamicconfig.HistoryRPS.Key():                                   unlimited,
	dynamicconfig.MatchingRPS.Key():                                  unlimited,
	dynamicconfig.FrontendPersistenceMaxQPS.Key():                    unlimited,
	dynamicconfig.HistoryPersistenceMaxQPS.Key():                     unlimited,
	dynamicconfig.MatchingPersistenceMaxQPS.Key():                    unlimited,
	dynamicconfig.WorkerPersistenceMaxQPS.Key():                      unlimited,
	// The server would ask its makers on the Internet for news of itself.
	dynamicconfig.EnableServerVersionCheck.Key(): false,
}

// unlimited is more requests per second than a database here answers.
const unlimited = 100_000

// waitForServer returns when the server answers.
func waitForServer(ctx context.Context, address string) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: Namespace, Logger: silent{}})
	if err != nil {
		return fmt.Errorf("temporal server at %s: %w", address, err)
	}
	c.Close()
	return nil
}

// silent drops what a client that lives for a moment has to say.
type silent struct{}

var _ sdklog.Logger = silent{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
