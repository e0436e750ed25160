// Package deploy has no code of its own: its tests check what lies beside it, the image,
// the compose file, the manifests and the unit. It is a module of its own, because it
// takes the API of Kubernetes and the libraries of compose to check them strictly, of
// which production code should see nothing.
package deploy
