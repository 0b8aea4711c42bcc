"""What Kubernetes makes of NetworkPolicies: a connection needs an egress rule of one that chooses its source's pod, and an
ingress rule of one that chooses its destination's; a pod that none chooses for a direction is open in it."""

import dataclasses
import ipaddress

from tests.deploy.kustomize import selects

NAME_LABEL = "kubernetes.io/metadata.name"
OWN_NAMESPACE = "rawgate"


@dataclasses.dataclass(frozen=True)
class Pod:
    """One pod of the cluster; the namespace's name is a label of it, as in every cluster."""

    namespace: str
    labels: tuple = ()
    namespace_labels: tuple = ()

    @property
    def all_namespace_labels(self):
        return {NAME_LABEL: self.namespace, **dict(self.namespace_labels)}


class Policies:
    def __init__(self, manifests):
        self._policies = list(manifests.of("NetworkPolicy").values())

    def permit(self, source, destination, protocol, port):
        """Whether `source` may connect to a port of `destination`. Both are a Pod, or an address outside of the cluster."""
        return (self._permitted(source, "Egress", "egress", "to", destination, protocol, port)
                and self._permitted(destination, "Ingress", "ingress", "from", source, protocol, port))

    def _permitted(self, pod, direction, rules, peers, other, protocol, port):
        if not isinstance(pod, Pod) or pod.namespace != OWN_NAMESPACE:
            return True
        chosen = [policy["spec"] for policy in self._policies
                  if direction in policy["spec"]["policyTypes"] and _chooses(policy["spec"]["podSelector"], pod.labels)]
        return not chosen or any(
            _lists_port(rule, protocol, port) and _lists_peer(rule, peers, other)
            for spec in chosen for rule in spec.get(rules) or [])


def _chooses(selector, labels):
    if set(selector) - {"matchLabels"}:
        raise AssertionError(f"a selector that this does not know: {selector}")
    return selects(selector.get("matchLabels", {}), dict(labels))


def _lists_port(rule, protocol, port):
    return "ports" not in rule or {"protocol": protocol, "port": port} in rule["ports"]


def _lists_peer(rule, key, other):
    return key not in rule or any(_is_peer(peer, other) for peer in rule[key])


def _is_peer(peer, other):
    if "ipBlock" in peer:
        return isinstance(other, str) and ipaddress.ip_address(other) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
    if not isinstance(other, Pod):
        return False
    if "namespaceSelector" not in peer:
        return other.namespace == OWN_NAMESPACE and _chooses(peer["podSelector"], other.labels)
    return (_chooses(peer["namespaceSelector"], other.all_namespace_labels.items())
            and _chooses(peer.get("podSelector", {}), other.labels))
