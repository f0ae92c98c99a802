struct NotThrown { 1: string why }
exception Thrown { 1: string why }

service Ring extends Gnir {}
service Gnir extends Ring {}
service Orphan extends Nobody {}
service Odd extends Thrown {}
