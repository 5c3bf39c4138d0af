<#
.SYNOPSIS
Installs the Helm plugin dt from what lies on this machine, or from the registry of this site; nothing else is downloaded.
.DESCRIPTION
Helm keeps its plugins whatever happens: the new one is put beside the old one, tried, and swapped only if it runs.
.PARAMETER Source
dt-X.Y.Z-win-x64.tgz, a folder with such packages, the folder of an unpacked package, or oci://HOST/PATH/dt:TAG (Helm 4).
.PARAMETER Helm
The Helm to install for; without it HELM_BIN, or helm on PATH.
.PARAMETER Keyring
Verify the signature of the package with these public keys (Helm 4).
.PARAMETER HelmFlags
For oci://: flags of "helm plugin install" such as --plain-http.
#>
[CmdletBinding(PositionalBinding = $false)]
param(
  [Parameter(Mandatory = $true, Position = 0)][string]$Source,
  [string]$Helm,
  [string]$Keyring,
  [Parameter(ValueFromRemainingArguments = $true)][string[]]$HelmFlags = @()
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

function Stop-Install([string]$Message, [string[]]$Lines = @()) {
  throw (@("dt: $Message") + @($Lines | ForEach-Object { "    $_" }) -join [Environment]::NewLine)
}

# Runs a program and gives its exit code and all that it says; what it says on standard error is no error of this script.
function Invoke-Program([string]$Program, [string[]]$Arguments) {
  $ErrorActionPreference = 'Continue'
  try {
    $said = & $Program @Arguments 2>&1 | ForEach-Object { "$_" }
    return [pscustomobject]@{ Code = $LASTEXITCODE; Lines = @($said) }
  } catch {
    return [pscustomobject]@{ Code = 1; Lines = @("$_") }
  }
}

# The value of a plain line of plugin.yaml.
function Get-Field([string]$File, [string]$Name) {
  if (-not (Test-Path -LiteralPath $File -PathType Leaf)) { return '' }
  foreach ($line in Get-Content -LiteralPath $File -Encoding UTF8) {
    if ($line -cmatch "^${Name}:\s*(.*)$") {
      return ($Matches[1] -replace '\s*#.*$', '').Trim().Trim('"', "'")
    }
  }
  return ''
}

function Find-Platform {
  $machine = $env:PROCESSOR_ARCHITECTURE
  if ($env:PROCESSOR_ARCHITEW6432) { $machine = $env:PROCESSOR_ARCHITEW6432 }
  # Windows on ARM runs programs for x64.
  if ($machine -in @('AMD64', 'ARM64')) { return 'win-x64' }
  return 'win-other'
}

# The package for this machine in a folder, or the one that needs a Node.js.
function Select-Package([string]$Folder) {
  foreach ($kind in @($platform, 'universal')) {
    $found = @(Get-ChildItem -LiteralPath $Folder -File | Where-Object { $_.Name -like "dt-*-$kind.tgz" })
    if ($found.Count -gt 1) { Stop-Install "$Folder has several packages for $kind" @("name one of them: install.ps1 '$($found[0].FullName)'") }
    if ($found.Count -eq 1) { return $found[0].FullName }
  }
  Stop-Install "$Folder has neither a package for $platform (dt-X.Y.Z-$platform.tgz) nor one for every platform, nor a plugin.yaml"
}

# A list of checksums beside the package must name it.
function Confirm-Checksum([string]$Package) {
  $sums = Join-Path (Split-Path -Parent $Package) 'SHA256SUMS'
  if (-not (Test-Path -LiteralPath $sums -PathType Leaf)) { return }
  $name = Split-Path -Leaf $Package
  $wanted = @(Get-Content -LiteralPath $sums -Encoding UTF8 | Where-Object { $_ -cmatch '^([0-9a-f]{64}) [ *](.*)$' -and $Matches[2] -ceq $name } |
      ForEach-Object { $_.Substring(0, 64) })
  if ($wanted.Count -eq 0) { Stop-Install "$sums does not name $name" }
  $actual = (Get-FileHash -LiteralPath $Package -Algorithm SHA256).Hash.ToLowerInvariant()
  if ($wanted.Count -ne 1 -or $wanted[0] -cne $actual) {
    Stop-Install "$Package is damaged: it does not have its checksum in $sums" @('copy it again')
  }
}

# Two plugins of one name take all plugins away from Helm, and "helm plugin uninstall" with them.
function Deny-Others {
  if (-not (Test-Path -LiteralPath $plugins)) { return }
  $others = @(Get-ChildItem -LiteralPath $plugins -Directory | Where-Object {
      $_.FullName -ne $target -and (Get-Field (Join-Path $_.FullName 'plugin.yaml') 'name') -ceq 'dt'
    })
  if ($others.Count -eq 0) { return }
  Stop-Install 'another plugin claims the name "dt"; remove it first:' @($others | ForEach-Object {
      "Remove-Item -Recurse -Force -LiteralPath '$($_.FullName -replace "'", "''")'"
    })
}

# Leaves the plugin in $stage\new and, if it came as an archive, that in $stage\archive.
function Expand-Package([string]$Package) {
  $name = Split-Path -Leaf $Package
  if ($name -match '-(linux|darwin|win)-' -and $name -notmatch "-$platform(-helm3)?\.tgz$") {
    Stop-Install "$Package is for another platform: this machine is $platform"
  }
  Confirm-Checksum $Package
  if ($Keyring) {
    $verified = Invoke-Program $Helm @('plugin', 'verify', $Package, '--keyring', $Keyring)
    if ($verified.Code -ne 0) { Stop-Install "$Package is not verified" $verified.Lines }
  }
  $unpacked = (New-Item -ItemType Directory -Path (Join-Path $stage 'unpacked')).FullName
  # Windows has it since version 1803.
  $done = Invoke-Program 'tar' @('-xzf', $Package, '-C', $unpacked)
  if ($done.Code -ne 0) { Stop-Install "$Package cannot be unpacked" $done.Lines }
  $inner = Join-Path $unpacked 'dt'
  if (Test-Path -LiteralPath (Join-Path $inner 'plugin.yaml') -PathType Leaf) { Move-Item -LiteralPath $inner -Destination $new }
  else { Move-Item -LiteralPath $unpacked -Destination $new }
  Copy-Item -LiteralPath $Package -Destination $archive
  if (Test-Path -LiteralPath "$Package.prov") { Copy-Item -LiteralPath "$Package.prov" -Destination "$archive.prov" }
}

function Receive-Package([string]$Reference) {
  if ($major -lt 4) { Stop-Install "Helm $major cannot install plugins from a registry" @('give a package instead: install.ps1 dt-X.Y.Z-win-x64.tgz') }
  $verification = if ($Keyring) { @('--verify=true', '--keyring', $Keyring) } else { @('--verify=false') }
  $saved = @{}
  foreach ($name in @('HELM_PLUGINS', 'HELM_DATA_HOME', 'HELM_CACHE_HOME')) { $saved[$name] = [Environment]::GetEnvironmentVariable($name) }
  try {
    # Helm's caches are left out: it would write a smaller file over a larger one of the same tag without cutting it.
    $env:HELM_PLUGINS = $null
    $env:HELM_DATA_HOME = Join-Path $stage 'data'
    $env:HELM_CACHE_HOME = Join-Path $stage 'cache'
    $done = Invoke-Program $Helm (@('plugin', 'install', $Reference) + $verification + $HelmFlags)
  } finally {
    foreach ($name in $saved.Keys) { [Environment]::SetEnvironmentVariable($name, $saved[$name]) }
  }
  if ($done.Code -ne 0) { Stop-Install "Helm cannot install $Reference" $done.Lines }
  foreach ($item in Get-ChildItem -LiteralPath (Join-Path $stage 'data\plugins')) {
    $place = if ($item.PSIsContainer) { $new } elseif ($item.Name -like '*.prov') { "$archive.prov" } else { $archive }
    Move-Item -LiteralPath $item.FullName -Destination $place
  }
}

# What is staged must be this plugin, and must run here. Gives its version.
function Test-Staged {
  if ((Get-Field (Join-Path $new 'plugin.yaml') 'name') -cne 'dt') { Stop-Install "$Source is no package of the plugin dt" }
  $program = @('dt.exe', 'dt.cmd') | ForEach-Object { Join-Path $new $_ } | Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1
  if (-not $program) { Stop-Install "$Source has no program for Windows" }
  $tried = Invoke-Program $program @('version')
  if ($tried.Code -ne 0) {
    Stop-Install "$Source does not run on this machine ($platform)" (@($tried.Lines) +
      'a package for every platform, which needs Node.js 22.13: dt-X.Y.Z-universal.tgz')
  }
  return Get-Field (Join-Path $new 'plugin.yaml') 'version'
}

# The old plugin comes back unless the new one is in place and Helm runs it.
function Switch-Plugin {
  $old = Join-Path $stage 'old'
  if (Test-Path -LiteralPath $target) { Move-Item -LiteralPath $target -Destination $old }
  try {
    Move-Item -LiteralPath $new -Destination $target
    $tried = Invoke-Program $Helm @('dt', 'version')
    if ($tried.Code -ne 0) { Stop-Install 'Helm cannot run the plugin; nothing was changed' $tried.Lines }
  } catch {
    if (Test-Path -LiteralPath $target) { Remove-Item -Recurse -Force -LiteralPath $target }
    if (Test-Path -LiteralPath $old) { Move-Item -LiteralPath $old -Destination $target }
    throw
  }
}

# A run that was killed between two steps has left the old plugin aside.
function Restore-Left {
  if (-not (Test-Path -LiteralPath $plugins)) { return }
  foreach ($left in Get-ChildItem -LiteralPath $plugins -Directory -Force | Where-Object { $_.Name -like '.dt-install.*' }) {
    $id = $left.Name.Substring('.dt-install.'.Length)
    # In containers the killed run may have had the number of this one.
    if ($id -match '^\d+$' -and $id -ne "$PID" -and (Get-Process -Id $id -ErrorAction SilentlyContinue)) {
      Stop-Install "another install.ps1 is at work (process $id)" @("if that process is something else: Rename-Item -LiteralPath '$($left.FullName -replace "'", "''")' .dt-install.left")
    }
    $old = Join-Path $left.FullName 'old'
    if (-not (Test-Path -LiteralPath $target) -and (Test-Path -LiteralPath $old)) { Move-Item -LiteralPath $old -Destination $target }
    Remove-Item -Recurse -Force -LiteralPath $left.FullName
  }
}

# As Helm 4 does it itself: "helm plugin list" looks there for the signature, and "dt unwrap --with-plugin" for the package.
function Save-Archive([string]$Version) {
  Get-ChildItem -LiteralPath $plugins -File | Where-Object { $_.Name -match '^dt-[0-9].*\.tgz(\.prov)?$' } | Remove-Item -Force
  if ($major -lt 4 -or -not (Test-Path -LiteralPath $archive)) { return }
  $kept = Join-Path $plugins "dt-$Version.tgz"
  Move-Item -LiteralPath $archive -Destination $kept
  if (Test-Path -LiteralPath "$archive.prov") { Move-Item -LiteralPath "$archive.prov" -Destination "$kept.prov" }
}

$stage = $null
try {
  if (-not $Helm) { $Helm = if ($env:HELM_BIN) { $env:HELM_BIN } else { 'helm' } }
  $told = (Invoke-Program $Helm @('version', '--template', '{{.Version}}')).Lines -match '^v\d+\.'
  if (-not $told) { Stop-Install "cannot run $Helm" @('install.ps1 -Helm PATH names another one') }
  $major = [int](@($told)[0] -replace '^v(\d+)\..*$', '$1')
  if ($Keyring -and $major -lt 4) { Stop-Install "Helm $major cannot verify plugins" @('leave out -Keyring, or use Helm 4') }
  # Several folders can be named; Helm installs into the first.
  $plugins = (& $Helm env HELM_PLUGINS 2>$null | Select-Object -First 1).Split(';')[0]
  $target = Join-Path $plugins 'dt'
  $platform = Find-Platform
  Restore-Left
  Deny-Others
  $place = Join-Path $plugins ".dt-install.$PID"
  try { New-Item -ItemType Directory -Force -Path $place | Out-Null }
  catch { Stop-Install "cannot write to the plugins of Helm: $plugins" @('HELM_PLUGINS names another folder') }
  $stage = $place
  $new = Join-Path $stage 'new'
  $archive = Join-Path $stage 'archive'
  if ($Source -like 'oci://*') { Receive-Package $Source }
  elseif ($HelmFlags.Count -gt 0) { Stop-Install 'flags for Helm are for oci:// only' }
  elseif (-not (Test-Path -LiteralPath $Source)) { Stop-Install "there is no $Source" }
  elseif (Test-Path -LiteralPath (Join-Path $Source 'plugin.yaml') -PathType Leaf) {
    if ($Keyring) { Stop-Install "$Source is a folder: only packages have a signature" }
    Copy-Item -Recurse -LiteralPath $Source -Destination $new
  }
  elseif (Test-Path -LiteralPath $Source -PathType Container) { Expand-Package (Select-Package (Resolve-Path -LiteralPath $Source).ProviderPath) }
  else { Expand-Package (Resolve-Path -LiteralPath $Source).ProviderPath }
  $version = Test-Staged
  Switch-Plugin
  Save-Archive $version
  Write-Output "dt $version is installed in $target; try: helm dt --help"
} catch {
  [Console]::Error.WriteLine($_.Exception.Message)
  exit 1
} finally {
  if ($stage) { Remove-Item -Recurse -Force -LiteralPath $stage -ErrorAction SilentlyContinue }
}
