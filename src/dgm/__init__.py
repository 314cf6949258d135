"""The science of the report: probabilistic graphs, checked calculus and variational autoencoders."""
