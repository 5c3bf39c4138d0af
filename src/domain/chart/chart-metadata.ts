/** Chart.yaml, v1 and v2. https://helm.sh/docs/topics/charts/#the-chartyaml-file */
export interface ChartMetadata {
  readonly apiVersion: string;
  readonly name: string;
  readonly version: string;
  /** Empty if the chart has none. */
  readonly appVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly dependencies: readonly ChartDependency[];
  /** The parsed document, for the fields that only travel (description, maintainers, …). */
  readonly document: Readonly<Record<string, unknown>>;
}

export interface ChartDependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
  readonly alias: string;
}
