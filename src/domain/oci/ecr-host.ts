/** `ACCOUNT.dkr.ecr[-fips].REGION.amazonaws.com`, in China `….cn`, and the dual-stack names, each with a port or without. */
const ECR_HOST_PATTERN =
  /^[0-9]{12}\.dkr(?:\.ecr|-ecr)(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.(?:aws|amazonwebservices\.com\.cn))(?::[0-9]+)?$/i;

/** True for a private registry of Amazon ECR, where repositories must exist before anything is pushed into them. */
export function isEcrHost(registry: string): boolean {
  return ECR_HOST_PATTERN.test(registry);
}
