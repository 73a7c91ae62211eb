INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('LoadZone', 3106, 'ZONES', '[System64Folder]dnscmd.exe . /ZoneReload corp.example')
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('LoadZone', 'NOT REMOVE', 4001)
