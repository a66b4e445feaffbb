# PowerShell completion for aix: what `aix completion powershell` prints.

Register-ArgumentCompleter -Native -CommandName aix -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text } })
    # through the environment, as older versions of PowerShell lose quotes and empty words on a command line
    $env:_AIX_WORDS = (@($words) + "$wordToComplete".Trim("'", '"')) -join "`n"
    try { $answer = @(aix __complete powershell 2>$null) }
    finally { Remove-Item Env:_AIX_WORDS -ErrorAction SilentlyContinue }

    # no result at all makes PowerShell complete file names by itself
    if ($answer.Count -lt 3) { return }
    $answer | Select-Object -Skip 2 | ForEach-Object {
        $text, $shown, $help = $_ -split "`t", 3
        [System.Management.Automation.CompletionResult]::new($text, $shown, 'ParameterValue', $help)
    }
}
